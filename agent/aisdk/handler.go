package aisdk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
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

// Chat is one conversation of the person who sent a request. A *Chat of package runner implements it.
type Chat interface {
	// Start starts the run that answers a message, and returns its id. With the key and the text of an earlier call it
	// returns the run of that.
	Start(ctx context.Context, key, text string) (run string, err error)
	// Decide records the decisions on calls for which a run waits, and returns the id of the run that makes them.
	Decide(ctx context.Context, run string, decisions ...agent.Decision) (next string, err error)
	// Runs returns the ids of the newest run and of those that it continues, oldest first, or nothing.
	Runs(ctx context.Context) ([]string, error)
	// Follow yields the events of a run in a dialect, as [replay.Store.Follow] does.
	Follow(ctx context.Context, run, after string, d replay.Dialect) iter.Seq2[[]sse.Event, error]
}

// Options configures a [Handler]. A nil *Options is valid.
type Options struct {
	// Stream configures the responses. Its Lifetime is not used: a response lasts as long as its message. When its Drain
	// is done, the streams are broken, so that their clients resume. Its Error receives the errors of the [Chat], those of
	// the function that opens it, and [*httpapi.Problem] for a request that is not valid. If nil, a Problem is sent as
	// text, and the status of other errors is 404, 409, 410 or 500 without their reason.
	Stream sse.Options
	// MaxBody is the largest size of a request in bytes. The AI SDK sends the whole conversation in each. Zero means 4 MB.
	MaxBody int64
}

// Handler answers the requests of the AI SDK's chat transport: POST starts a run, answers approvals, and streams the
// message; GET with the path value "id" streams the chat's newest message again.
type Handler struct {
	open  func(r *http.Request, id string) (Chat, error)
	front frontend.Handler
}

// New returns a Handler. chat authenticates a request and returns the person's conversation with the id that the client
// gave it: 1 to 256 characters of any kind. It returns [ErrInvalid] if chat is nil or an option is out of range.
func New(chat func(r *http.Request, id string) (Chat, error), o *Options) (*Handler, error) {
	if chat == nil {
		return nil, fmt.Errorf("%w: the function that opens a chat must not be nil", ErrInvalid)
	}
	if o == nil {
		o = &Options{}
	}
	if o.MaxBody < 0 {
		return nil, fmt.Errorf("%w: MaxBody is %d: must not be negative", ErrInvalid, o.MaxBody)
	}
	h := &Handler{open: chat, front: frontend.Handler{Stream: o.Stream, MaxBody: o.MaxBody}}
	if report := o.Stream.Error; report != nil {
		h.front.Stream.Error = func(w http.ResponseWriter, r *http.Request, err error) {
			w.Header().Del(headerName)
			report(w, r, err)
		}
	}
	return h, nil
}

// ServeHTTP answers a request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer, method := h.sendMessage, http.MethodPost
	if r.PathValue("id") != "" {
		answer, method = h.resumeMessage, http.MethodGet
	}
	var err error
	if r.Method == method {
		err = answer(w, r)
	} else {
		w.Header().Set("Allow", method)
		err = httpapi.NewProblem(http.StatusMethodNotAllowed, "The method must be "+method+".")
	}
	if err != nil {
		h.front.WriteError(w, r, err)
	}
}

// resumeMessage streams the newest message of the chat.
func (h *Handler) resumeMessage(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	if err := frontend.CheckID("id of the chat", id); err != nil {
		return err
	}
	chat, err := h.open(r, id)
	if err != nil {
		return err
	}
	runs, err := chat.Runs(r.Context())
	if err != nil {
		return err
	}
	if len(runs) == 0 {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	h.streamMessage(w, r, &messageStream{chat: chat, runs: runs})
	return nil
}

// sendMessage does what a POST asks for and streams the message.
func (h *Handler) sendMessage(w http.ResponseWriter, r *http.Request) error {
	body, err := h.front.ReadBody(w, r)
	if err != nil {
		return err
	}
	q, err := parseRequest(body)
	if err != nil {
		return err
	}
	chat, err := h.open(r, q.chat)
	if err != nil {
		return err
	}
	var s *messageStream
	if q.decisions != nil {
		s, err = recordDecisions(r.Context(), chat, q)
	} else {
		s, err = startRun(r.Context(), chat, q)
	}
	if err != nil {
		return err
	}
	h.streamMessage(w, r, s)
	return nil
}

func startRun(ctx context.Context, chat Chat, q *request) (*messageStream, error) {
	key := hashKey("message", q.message)
	if q.regenerate {
		runs, err := chat.Runs(ctx)
		if err != nil {
			return nil, err
		}
		newest := ""
		if len(runs) > 0 {
			newest = runs[len(runs)-1]
		}
		key = hashKey("regenerate", newest)
	}
	run, err := chat.Start(ctx, key, q.text)
	if err != nil {
		return nil, err
	}
	runs, err := chat.Runs(ctx) // those that have continued it, if it is a repeated request
	if err != nil {
		return nil, err
	}
	if len(runs) == 0 || runs[0] != run {
		runs = []string{run}
	}
	return &messageStream{chat: chat, runs: runs}, nil
}

// hashKey returns an idempotency key for an id of any length.
func hashKey(kind, id string) string {
	sum := sha256.Sum256([]byte(kind + "\x00" + id))
	return hex.EncodeToString(sum[:])
}

// recordDecisions records decisions. The client has the message up to the run that makes the calls.
func recordDecisions(ctx context.Context, chat Chat, q *request) (*messageStream, error) {
	next, err := chat.Decide(ctx, q.message, q.decisions...)
	if err != nil {
		return nil, err
	}
	runs, err := chat.Runs(ctx)
	if err != nil {
		return nil, err
	}
	i := slices.Index(runs, next)
	if i < 0 {
		return nil, httpapi.NewProblem(http.StatusConflict, "The conversation has continued elsewhere. Load it again.")
	}
	return &messageStream{chat: chat, runs: runs, known: i}, nil
}

func (h *Handler) streamMessage(w http.ResponseWriter, r *http.Request, s *messageStream) {
	setHeader(w.Header())
	h.front.Serve(w, r, func(ctx context.Context) iter.Seq2[[]sse.Event, error] {
		return func(yield func([]sse.Event, error) bool) {
			if err := s.yieldFrames(ctx, yield); err != nil {
				yield(nil, err)
			}
		}
	})
}

// headerName is the header by which clients recognise the stream.
const headerName = "X-Vercel-Ai-Ui-Message-Stream"

// setHeader sets the header by which clients recognise the UI message stream.
func setHeader(h http.Header) { h.Set(headerName, "v1") }
