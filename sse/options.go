package sse

import (
	"context"
	"net/http"
	"time"
)

// Options configures a [Writer] and [Serve].
type Options struct {
	// KeepAlive is the time without an event after which a comment is sent. Zero means 15 s, below the idle timeouts of
	// common proxies. A negative time disables keep-alives.
	KeepAlive time.Duration
	// WriteTimeout limits each Write with its flush. It replaces the server's WriteTimeout, which would end every
	// stream. Zero means 10 s.
	WriteTimeout time.Duration
	// Unbuffered accepts a response that cannot flush. Set it only if the response passes on each Write at once, such
	// as that of lambdaurl in aws-lambda-go. Such a response usually ignores WriteTimeout, too.
	Unbuffered bool
	// Retry is the longest delay before a drained client reconnects. Each client gets a random part of it. Zero means
	// 5 s.
	Retry time.Duration

	// Lifetime is the longest duration of a response of Serve. Each response lasts a random time between three
	// quarters of it and the whole; then the client is asked to reconnect. Zero means 10 min, negative no limit. A
	// Writer ignores it.
	Lifetime time.Duration
	// Drain, if not nil, ends all responses of Serve when it is done, for example when the server shuts down. Clients
	// are asked to reconnect. A Writer ignores it.
	Drain context.Context
	// Error writes the response of Serve if the source fails before the stream is open, other than with ErrFinished.
	// It also receives the error of a nil source. If nil, Serve sends 404, 410, 503 or 500 with the text of the status. A
	// Writer ignores it.
	Error func(w http.ResponseWriter, r *http.Request, err error)
}
