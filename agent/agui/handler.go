package agui

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"slices"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/internal/frontend"
	"github.com/carrel-go/carrel/httpapi"
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
	// the function that opens it, and [*httpapi.Problem] for a request that is not valid. If it is nil, a Problem is sent
	// as text, and the status of other errors is 404, 409, 410 or 500 without a reason.
	Stream sse.Options
	// MaxBody is the largest size of a request in bytes. An AG-UI client sends the whole conversation in each. Zero means
	// 4 MB.
	MaxBody int64
}

// Handler answers the requests of AG-UI clients: a POST starts a run, answers interrupts or asks for a run again, and
// streams it. It is safe for concurrent use.
type Handler struct {
	open  func(r *http.Request, thread string) (Chat, error)
	front frontend.Handler
}

// New returns a Handler. chat authenticates a request and returns the person's thread with the id that the client gave
// it: 1 to 256 characters of any kind. It returns [ErrInvalid] if chat is nil or an option is out of range.
func New(chat func(r *http.Request, thread string) (Chat, error), o *Options) (*Handler, error) {
	if chat == nil {
		return nil, fmt.Errorf("%w: the function that opens a chat must not be nil", ErrInvalid)
	}
	if o == nil {
		o = &Options{}
	}
	if o.MaxBody < 0 {
		return nil, fmt.Errorf("%w: MaxBody is %d: must not be negative", ErrInvalid, o.MaxBody)
	}
	return &Handler{open: chat, front: frontend.Handler{Stream: o.Stream, MaxBody: o.MaxBody}}, nil
}

// ServeHTTP answers a request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := h.answerRequest(w, r); err != nil {
		h.front.WriteError(w, r, err)
	}
}

// answerRequest does what a POST asks for and streams the run.
func (h *Handler) answerRequest(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return httpapi.NewProblem(http.StatusMethodNotAllowed, "The method must be POST.")
	}
	body, err := h.front.ReadBody(w, r)
	if err != nil {
		return err
	}
	q, err := parseRequest(body)
	if err != nil {
		return err
	}
	chat, err := h.open(r, q.thread)
	if err != nil {
		return err
	}
	run, refused, err := q.findRun(r.Context(), chat)
	if err != nil {
		return err
	}
	h.front.Serve(w, r, func(ctx context.Context) iter.Seq2[[]sse.Event, error] {
		if refused != nil {
			return q.streamRefusal(refused)
		}
		return checkEnd(chat.Follow(ctx, run, "", q.dialect()))
	})
	return nil
}

// checkEnd passes on the frames of a run. It yields an error if they end without the last one.
func checkEnd(run iter.Seq2[[]sse.Event, error]) iter.Seq2[[]sse.Event, error] {
	return func(yield func([]sse.Event, error) bool) {
		isFinished := false
		for frames, err := range run {
			isFinished = slices.ContainsFunc(frames, isLast)
			if !yield(frames, err) || err != nil {
				return
			}
		}
		if !isFinished {
			yield(nil, frontend.ErrUnfinished)
		}
	}
}
