// Package frontend has what the handlers of packages aisdk and agui do in the same way: they read a request, stream a
// message to its end, and answer with an error.
package frontend

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/httpapi"
	"github.com/carrel-go/carrel/internal/strictjson"
	"github.com/carrel-go/carrel/sse"
)

// MaxID is the largest number of characters of an id that a client chooses.
const MaxID = 256

var (
	// ErrUnfinished breaks the stream of a run whose log ends without a last event.
	ErrUnfinished = errors.New("the log of the run does not have a last event")

	errDrained = errors.New("the server is shutting down")
)

// Handler is the part of a handler that does not depend on the protocol.
type Handler struct {
	// Stream configures the responses, without its Lifetime.
	Stream sse.Options
	// MaxBody is the largest size of a request in bytes. Zero means 4 MB.
	MaxBody int64
}

// NewInvalid returns the problem of a request that is not valid.
func NewInvalid(format string, args ...any) *httpapi.Problem {
	return httpapi.NewProblem(http.StatusBadRequest, fmt.Sprintf(format, args...))
}

// ReadBody returns the JSON body of a request.
func (h *Handler) ReadBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	return httpapi.ReadBody(w, r, cmp.Or(h.MaxBody, 4<<20))
}

// CheckID returns a problem unless an id that a client chose has 1 to MaxID characters.
func CheckID(name, id string) error {
	if n := utf8.RuneCountInString(id); n < 1 || n > MaxID {
		return NewInvalid("The %s must be a text of 1 to %d characters.", name, MaxID)
	}
	return nil
}

// ParseID returns the member of that name, which is an id that the client chose.
func ParseID(v strictjson.Value, name string) (string, error) {
	id := ""
	if member, ok := v.Get(name); ok {
		id = member.Text()
	}
	return id, CheckID(fmt.Sprintf("member %q", name), id)
}

// Serve sends the frames of a message. The source yields an error, such as [ErrUnfinished], if it cannot send all of
// them: a client would take a closed stream for a complete one, so it is broken. It is also broken when Stream.Drain is
// done.
func (h *Handler) Serve(
	w http.ResponseWriter, r *http.Request, source func(context.Context) iter.Seq2[[]sse.Event, error],
) {
	o := h.Stream
	o.Lifetime, o.Drain, o.Error = -1*time.Second, nil, h.WriteError
	sse.Serve(w, r, func(ctx context.Context, _ string) iter.Seq2[[]sse.Event, error] {
		return func(yield func([]sse.Event, error) bool) {
			ctx, cancel := context.WithCancelCause(ctx)
			defer cancel(nil)
			if h.Stream.Drain != nil {
				defer context.AfterFunc(h.Stream.Drain, func() { cancel(errDrained) })()
			}
			source(ctx)(yield)
		}
	}, &o)
}

// WriteError answers a request that cannot be served: by Stream.Error, or with a text.
func (h *Handler) WriteError(w http.ResponseWriter, r *http.Request, err error) {
	if h.Stream.Error != nil {
		h.Stream.Error(w, r, err)
		return
	}
	status, message := http.StatusInternalServerError, ""
	p, isProblem := errors.AsType[*httpapi.Problem](err)
	switch {
	case isProblem:
		status, message = p.Status, p.Detail
	case errors.Is(err, agent.ErrNotWaiting):
		status, message = http.StatusConflict, "This approval cannot be answered any more."
	case errors.Is(err, agent.ErrWaiting):
		status, message = http.StatusConflict, "Answer the approval first."
	case errors.Is(err, sse.ErrNotFound):
		status = http.StatusNotFound
	case errors.Is(err, sse.ErrExpired):
		status = http.StatusGone
	case errors.Is(err, errDrained):
		status = http.StatusServiceUnavailable
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, cmp.Or(message, http.StatusText(status)), status)
}
