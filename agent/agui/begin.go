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

// findRun starts or finds the run that answers the request.
func (q *request) findRun(ctx context.Context, chat Chat) (run string, _ *refusal, err error) {
	switch {
	case len(q.answers) > 0:
		return q.resumeRun(ctx, chat)
	case q.lostRun != "":
		return q.lostRun, nil, nil
	}
	run, err = chat.Start(ctx, q.idempotencyKey(), q.text)
	if errors.Is(err, agent.ErrWaiting) {
		return "", &refusal{code: codeWaiting, message: "The thread has interrupts that must be answered first."}, nil
	}
	return run, nil, err
}

// resumeRun answers the interrupts of the newest run, all at once, or finds the run that did so.
func (q *request) resumeRun(ctx context.Context, chat Chat) (run string, _ *refusal, err error) {
	waiting, isWaiting, err := chat.Waiting(ctx)
	if err != nil {
		return "", nil, err
	}
	answered := 0
	for _, id := range waiting {
		if slices.ContainsFunc(q.answers, func(d agent.Decision) bool { return d.Approval == id }) {
			answered++
		}
	}
	switch {
	case answered > 0 && answered < len(waiting):
		return "", &refusal{code: codeIncomplete, message: "One resume must answer all interrupts of the thread."}, nil
	case isWaiting && len(waiting) == 0 && q.cancelled == len(q.answers):
		return "", &refusal{isCancelled: true}, nil
	}
	run, err = chat.Decide(ctx, "", q.answers...)
	if errors.Is(err, agent.ErrNotWaiting) {
		return "", &refusal{code: codeUnknown,
			message: "An interrupt does not exist any more, or was answered otherwise."}, nil
	}
	return run, nil, err
}

// idempotencyKey returns the idempotency key of the message, since the client's id may be longer than a key.
func (q *request) idempotencyKey() string {
	sum := sha256.Sum256([]byte(q.run))
	return hex.EncodeToString(sum[:])
}

func (q *request) streamRefusal(f *refusal) iter.Seq2[[]sse.Event, error] {
	return func(yield func([]sse.Event, error) bool) {
		t := newTranslator(q)
		t.sendEvent(runStarted{Type: typeRunStarted, Thread: q.thread, Run: q.run, Version: protocolVersion})
		if f.isCancelled {
			t.sendEvent(runFinished{
				Type: typeRunFinished, Thread: q.thread, Run: q.run, Outcome: outcome{Type: outcomeCancelled},
			})
		} else {
			t.sendError(f.code, f.message, false)
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
