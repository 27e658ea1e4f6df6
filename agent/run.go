package agent

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/carrel-go/carrel/tools"
)

// run is the state of one run; it lives in the goroutine that ranges over the stream.
type run struct {
	agent  *Agent
	in     Input
	ctx    context.Context
	cancel context.CancelFunc
	yield  func(Event, error) bool

	turns   []Turn          // the input's, then this run's
	said    []Message       // what the model is told: the turns, flattened, and the prompt while it is unanswered
	ids     map[string]bool // every call's id, of the history too
	usage   Usage
	calls   int // made so far
	failing int // turns in a row in which no call succeeded

	yielding bool // the consumer's code is running
	left     bool // the consumer has left the loop
}

// emit hands an event to the consumer. When it gives false the consumer is gone, and the run ends at once.
func (r *run) emit(ev Event) bool {
	r.yielding = true
	ok := r.yield(ev, nil)
	r.yielding = false
	if !ok {
		r.left = true
		r.cancel()
	}
	return ok
}

// loop asks the model and runs its calls until one of them ends the run. If the consumer leaves, r.left is set and
// what loop returns means nothing.
func (r *run) loop() (Stop, *RunError) {
	prompt, failed := r.begin()
	if failed != nil {
		return "", failed
	}
	limits := r.agent.limits
	for turn := 1; ; turn++ {
		if r.ctx.Err() != nil {
			return Cancelled, nil
		}
		offered, err := r.agent.tools.Resolve(r.ctx, r.in.Scope, &tools.State{})
		switch {
		case err != nil && r.ctx.Err() != nil:
			return Cancelled, nil
		case err != nil:
			return "", &RunError{Code: Internal, Message: "The tools could not be made ready.", Err: err}
		}
		ans, failed := r.ask(offered)
		switch {
		case r.left:
			return "", nil
		case r.ctx.Err() != nil && (failed != nil || len(ans.calls) > 0):
			return Cancelled, nil
		case failed != nil:
			return "", failed
		case len(ans.calls) == 0:
			r.commit(prompt, ans, nil)
			return Complete, nil
		case turn == limits.Turns:
			return "", r.limit("The model did not come to an end within %d turns.", limits.Turns)
		case r.calls+len(ans.calls) > limits.Calls:
			return "", r.limit("The model wanted to make more than %d tool calls.", limits.Calls)
		}

		r.calls += len(ans.calls)
		b := r.runBatch(offered, turn-1, ans.calls)
		if r.left {
			return "", nil
		}
		r.commit(prompt, ans, b)
		prompt = nil
		switch {
		case b.fatal != nil:
			return "", b.fatal
		case r.ctx.Err() != nil:
			return Cancelled, nil
		case b.succeeded:
			r.failing = 0
			continue
		}
		if r.failing++; r.failing == limits.Corrections {
			return "", r.limit("None of the model's tool calls succeeded in %d turns in a row.", limits.Corrections)
		}
	}
}

// begin checks the input and lays out what the model is told first. It gives the prompt as a message, or nil.
func (r *run) begin() (*Message, *RunError) {
	refuse := func(msg string, err error) (*Message, *RunError) {
		return nil, &RunError{Code: InvalidCall, Message: msg, Err: err}
	}
	r.turns = slices.Clip(r.in.History.Turns) // the first append copies: the input's array may be shared
	if err := r.in.History.check(); err != nil {
		return refuse("The conversation so far is damaged.", fmt.Errorf("agent: history: %w", err))
	}
	r.ids = map[string]bool{}
	for _, t := range r.turns {
		for u := range t.uses() {
			r.ids[u.ID] = true
		}
		for _, m := range t.Messages {
			r.say(m)
		}
	}
	if !utf8.ValidString(r.in.Prompt) {
		return refuse("The message is not valid text.", nil)
	}
	if strings.TrimSpace(r.in.Prompt) == "" {
		if n := len(r.said); n == 0 || r.said[n-1].Role != User {
			return refuse("The message is empty.", nil)
		}
		return nil, nil
	}
	prompt := &Message{Role: User, Parts: []Part{{Text: r.in.Prompt}}}
	r.say(*prompt)
	return prompt, nil
}

// say adds m to what the model is told. Results and the prompt that follows them become one message, so that roles
// alternate.
func (r *run) say(m Message) {
	if n := len(r.said); n > 0 && r.said[n-1].Role == m.Role {
		r.said[n-1].Parts = slices.Concat(r.said[n-1].Parts, m.Parts)
		return
	}
	r.said = append(r.said, m)
}

// commit adds a whole turn to the history: the prompt if this is the first turn, the answer, and the results. An
// answer without content leaves no message, since no service takes an empty one back.
func (r *run) commit(prompt *Message, ans *answer, b *batch) {
	var t Turn
	if prompt != nil {
		t.Messages = append(t.Messages, *prompt)
	}
	if m := ans.message(); len(m.Parts) > 0 {
		t.Messages = append(t.Messages, m)
		r.say(m)
	}
	if b != nil {
		m := b.message()
		t.Messages = append(t.Messages, m)
		r.say(m)
	}
	if len(t.Messages) > 0 {
		r.turns = append(r.turns, t)
	}
}

func (r *run) limit(format string, n int) *RunError {
	return &RunError{Code: LimitReached, Message: fmt.Sprintf(format, n)}
}

// request is what the model is asked in this turn. Its slices are clipped: what an adapter appends is its own.
func (r *run) request(offered tools.Resolved) *Request {
	return &Request{
		System:    r.agent.system,
		Messages:  slices.Clip(r.said),
		Tools:     slices.Collect(offered.Specs()),
		MaxTokens: r.agent.limits.MaxTokens,
	}
}
