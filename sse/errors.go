package sse

import (
	"errors"
	"fmt"
	"net/http"
)

var (
	// ErrField is returned for an event whose ID or Name contains CR, LF or NUL. Nothing of its batch is written.
	ErrField = errors.New("sse: invalid id or name: must not contain CR, LF or NUL")

	// ErrClosed is returned by Send and Drain after Close.
	ErrClosed = errors.New("sse: writer is closed")

	// ErrTooLarge is returned by readers for an event above the limit.
	ErrTooLarge = errors.New("sse: event is too large")
)

var (
	errNilResponse = errors.New("sse: the ResponseWriter must not be nil")
	errNilRequest  = errors.New("sse: the request must not be nil")
	errNilReader   = errors.New("sse: the reader must not be nil")
	errNilSource   = errors.New("sse: the source must not be nil")
)

// A [Source] yields one of these errors, or an error that wraps it, if it does not have events after the id.
var (
	// ErrFinished means that the stream is complete and the client has its last event. Serve answers 204, which stops
	// EventSource and Follow.
	ErrFinished = errors.New("sse: stream is finished")

	// ErrExpired means that the events are not kept any longer. Serve answers 410.
	ErrExpired = errors.New("sse: stream has expired")

	// ErrNotFound means that the stream does not exist or is not the client's. Serve answers 404.
	ErrNotFound = errors.New("sse: stream not found")

	// ErrUnknownID means that the stream does not contain the id. Serve sends a reset event and starts from the first
	// event.
	ErrUnknownID = errors.New("sse: unknown event id")
)

// ResponseError is returned by Follow for a response that is not an event stream and is not worth a retry.
type ResponseError struct {
	StatusCode int
	Header     http.Header
	Body       []byte // at most the first 4 KB
}

func (e *ResponseError) Error() string {
	if e.StatusCode == http.StatusOK {
		return fmt.Sprintf("sse: invalid content type %q: must be text/event-stream", e.Header.Get("Content-Type"))
	}
	return fmt.Sprintf("sse: unexpected status %d %s", e.StatusCode, http.StatusText(e.StatusCode))
}
