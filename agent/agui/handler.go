package agui

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"mime"
	"net/http"
	"slices"
	"time"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/sse"
	"github.com/carrel-go/carrel/sse/replay"
)

// Chat is one thread of the person who sent a request. A *Chat of package runner implements it.
type Chat interface {
	// Start starts the run that answers a message, or finds the one that has started with the same key. It returns
	// [agent.ErrWaiting] if the thread waits for answers that must come first.
	Start(ctx context.Context, key, prompt string) (run string, err error)
	// Waiting reports whether the newest run waits, and returns the ids of the approvals that can be given.
	Waiting(ctx context.Context) (approvals []string, isWaiting bool, err error)
	// Decide records decisions and returns the id of the run that makes the calls. If run is empty, the calls are those of
	// the newest run or of a run that it continues. It returns [agent.ErrNotWaiting] if the decisions come too late.
	Decide(ctx context.Context, run string, ds ...agent.Decision) (next string, err error)
	// Follow yields the frames of a run of the thread in a dialect.
	Follow(ctx context.Context, run, after string, d replay.Dialect) iter.Seq2[[]sse.Event, error]
}

// Options configures a [Handler]. A nil *Options is valid.
type Options struct {
	// Stream configures the responses. Its Lifetime is not used: a response lasts as long as its run. When its Drain is
	// done, the streams are broken, so that their clients notice. Its Error receives the errors of the [Chat], those of
	// the function that opens it, and [*RequestError]. If it is nil, a RequestError is sent as text, and the status of
	// other errors is 404, 410 or 500 without a reason.
	Stream sse.Options
	// MaxBody is the largest size of a request in bytes. An AG-UI client sends the whole conversation in each. Zero means
	// 4 MB.
	MaxBody int64
}

// Handler answers the requests of AG-UI clients: a POST starts a run, answers interrupts or asks for a run again, and
// streams it. It is safe for concurrent use.
type Handler struct {
	open func(r *http.Request, thread string) (Chat, error)
	o    Options
}

// New returns a Handler. chat authenticates a request and returns the person's thread with the id that the client gave
// it: 1 to 256 characters of any kind. It returns [ErrInvalid] if chat is nil or an option is out of range.
func New(chat func(r *http.Request, thread string) (Chat, error), o *Options) (*Handler, error) {
	if chat == nil {
		return nil, fmt.Errorf("%w: the function that opens a chat must not be nil", ErrInvalid)
	}
	h := &Handler{open: chat}
	if o != nil {
		h.o = *o
	}
	if h.o.MaxBody < 0 {
		return nil, fmt.Errorf("%w: MaxBody is %d: must not be negative", ErrInvalid, h.o.MaxBody)
	}
	h.o.MaxBody = cmp.Or(h.o.MaxBody, 4<<20)
	return h, nil
}

// ServeHTTP answers a request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := h.send(w, r); err != nil {
		h.writeError(w, r, err)
	}
}

// send does what a POST asks for and streams the run.
func (h *Handler) send(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return &RequestError{http.StatusMethodNotAllowed, http.StatusText(http.StatusMethodNotAllowed)}
	}
	q, err := readRequest(w, r, h.o.MaxBody)
	if err != nil {
		return err
	}
	chat, err := h.open(r, q.Thread)
	if err != nil {
		return err
	}
	run, no, err := q.begin(r.Context(), chat)
	if err != nil {
		return err
	}
	h.stream(w, r, func(ctx context.Context) iter.Seq2[[]sse.Event, error] {
		if no != nil {
			return q.refuse(no)
		}
		return chat.Follow(ctx, run, "", q.Dialect())
	})
	return nil
}

// readRequest reads the body of a request.
func readRequest(w http.ResponseWriter, r *http.Request, maxBody int64) (*Request, error) {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		return nil, &RequestError{http.StatusUnsupportedMediaType, "The body must be application/json."}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, isTooLarge := errors.AsType[*http.MaxBytesError](err); isTooLarge {
		return nil, &RequestError{http.StatusRequestEntityTooLarge, fmt.Sprintf("The body is longer than %d bytes.", maxBody)}
	}
	if err != nil {
		return nil, newInvalid("The body is incomplete.")
	}
	return ParseRequest(body)
}

// stream sends the frames of source. It breaks the response if they end too early.
func (h *Handler) stream(
	w http.ResponseWriter, r *http.Request, source func(context.Context) iter.Seq2[[]sse.Event, error],
) {
	o := h.o.Stream
	o.Lifetime, o.Drain, o.Error = -1*time.Second, nil, h.writeError
	sse.Serve(w, r, func(ctx context.Context, _ string) iter.Seq2[[]sse.Event, error] {
		return func(yield func([]sse.Event, error) bool) {
			ctx, cancel := context.WithCancelCause(ctx)
			defer cancel(nil)
			if drain := h.o.Stream.Drain; drain != nil {
				defer context.AfterFunc(drain, func() { cancel(errDrained) })()
			}
			isFinished := false
			for frames, err := range source(ctx) {
				isFinished = slices.ContainsFunc(frames, isLast)
				if !yield(frames, err) || err != nil {
					return
				}
			}
			if !isFinished {
				yield(nil, errUnfinished)
			}
		}
	}, &o)
}

// writeError writes the response to a request that cannot be answered.
func (h *Handler) writeError(w http.ResponseWriter, r *http.Request, err error) {
	if h.o.Stream.Error != nil {
		h.o.Stream.Error(w, r, err)
		return
	}
	status := http.StatusInternalServerError
	message := ""
	invalid, ok := errors.AsType[*RequestError](err)
	switch {
	case ok:
		status, message = invalid.Status, invalid.Message
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
