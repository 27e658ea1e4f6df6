package agui

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"iter"
	"slices"
	"strings"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/sse"
)

// refusal is why a request is answered without a run. AG-UI demands an event for it.
type refusal struct {
	code, message string
	isCancelled   bool // the run that waited is left as it is
}

// The codes of refusals.
const (
	codeWaiting    = "interrupted"
	codeIncomplete = "incomplete_resume"
	codeUnknown    = "unknown_interrupt"
)

// begin starts or finds the run that answers the request.
func (q *Request) begin(ctx context.Context, chat Chat) (run string, _ *refusal, err error) {
	switch {
	case len(q.Answers) > 0:
		return q.resume(ctx, chat)
	case q.Told != "":
		return q.Told, nil, nil
	}
	run, err = chat.Start(ctx, q.key(), q.Text)
	if errors.Is(err, agent.ErrWaiting) {
		return "", &refusal{code: codeWaiting, message: "The thread has interrupts that must be answered first."}, nil
	}
	return run, nil, err
}

// resume answers the interrupts of the newest run, all at once, or finds the run that did so.
func (q *Request) resume(ctx context.Context, chat Chat) (run string, _ *refusal, err error) {
	waiting, isWaiting, err := chat.Waiting(ctx)
	if err != nil {
		return "", nil, err
	}
	answered := 0
	for _, id := range waiting {
		if slices.ContainsFunc(q.Answers, func(d agent.Decision) bool { return d.Approval == id }) {
			answered++
		}
	}
	switch {
	case answered > 0 && answered < len(waiting):
		return "", &refusal{code: codeIncomplete, message: "One resume must answer all interrupts of the thread."}, nil
	case isWaiting && len(waiting) == 0 && q.cancelled == len(q.Answers):
		return "", &refusal{isCancelled: true}, nil
	}
	run, err = chat.Decide(ctx, "", q.Answers...)
	if errors.Is(err, agent.ErrNotWaiting) {
		return "", &refusal{code: codeUnknown,
			message: "An interrupt does not exist any more, or was answered otherwise."}, nil
	}
	return run, nil, err
}

// key returns the idempotency key of the message, since the client's id may be longer than a key.
func (q *Request) key() string {
	sum := sha256.Sum256([]byte(q.Run))
	return hex.EncodeToString(sum[:])
}

// refuse returns the stream of a refusal.
func (q *Request) refuse(f *refusal) iter.Seq2[[]sse.Event, error] {
	return func(yield func([]sse.Event, error) bool) {
		t := newTeller(q)
		t.send(runStarted{Type: typeRunStarted, Thread: q.Thread, Run: q.Run, Version: protocolVersion})
		if f.isCancelled {
			t.send(runFinished{Type: typeRunFinished, Thread: q.Thread, Run: q.Run, Outcome: outcome{Type: outcomeCancelled}})
		} else {
			t.fail(f.code, f.message, false)
		}
		yield(t.frames, t.err)
	}
}

// isLast reports whether a frame ends a stream.
func isLast(f sse.Event) bool {
	data := string(f.Data[:min(len(f.Data), 32)])
	return strings.HasPrefix(data, `{"type":"`+typeRunFinished+`"`) ||
		strings.HasPrefix(data, `{"type":"`+typeRunError+`"`)
}
