package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"sync"

	"github.com/carrel-go/carrel/agent"
)

// model plays what the test queues, an answer a request; with nothing queued it says "ok".
type model struct {
	mu    sync.Mutex
	queue []func(ctx context.Context, yield func(agent.Delta, error) bool)

	systems []string // the system prompts of the requests
}

func (m *model) then(answers ...func(context.Context, func(agent.Delta, error) bool)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.queue = append(m.queue, answers...)
}

func (m *model) Stream(ctx context.Context, req *agent.Request) iter.Seq2[agent.Delta, error] {
	return func(yield func(agent.Delta, error) bool) {
		m.mu.Lock()
		m.systems = append(m.systems, req.System)
		next := say("ok")
		if len(m.queue) > 0 {
			next, m.queue = m.queue[0], m.queue[1:]
		}
		m.mu.Unlock()
		next(ctx, yield)
	}
}

type answer = func(context.Context, func(agent.Delta, error) bool)

func say(text string) answer {
	return func(_ context.Context, yield func(agent.Delta, error) bool) {
		_ = yield(agent.TextDelta{Text: text}, nil) && yield(agent.StopPart{Reason: agent.StopEndTurn}, nil)
	}
}

func call(id, name, args string) answer {
	return func(_ context.Context, yield func(agent.Delta, error) bool) {
		_ = yield(agent.UsePart{ToolUse: agent.ToolUse{ID: id, Name: name, Input: json.RawMessage(args)}}, nil) &&
			yield(agent.StopPart{Reason: agent.StopToolUse}, nil)
	}
}

func fail(err error) answer {
	return func(_ context.Context, yield func(agent.Delta, error) bool) { yield(nil, err) }
}

// hold emits "thinking", then waits for the channel or the end of the context.
func hold(started chan<- struct{}, until <-chan struct{}) answer {
	return func(ctx context.Context, yield func(agent.Delta, error) bool) {
		if !yield(agent.TextDelta{Text: "thinking"}, nil) {
			return
		}
		close(started)
		select {
		case <-until:
			_ = yield(agent.StopPart{Reason: agent.StopEndTurn}, nil)
		case <-ctx.Done():
			yield(nil, ctx.Err())
		}
	}
}

var throttled = &agent.ModelError{
	Code: agent.CodeThrottled, Message: "The model is throttled (HTTP 429).", Retryable: true, Err: errors.New("429"),
}
