package agent

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
)

// send sends one request and assembles the answer, which is never nil and may be incomplete. A panic in the Model is an
// error; a panic in the consumer propagates. The frame is small, since a process has many runs that wait for a Model.
func (r *run) send(set toolset) (ans *answer, err error) {
	ctx, q, acc := r.openAnswer(set)
	ans = acc.answer
	defer acc.closeAnswer(&err)
	for d, err := range r.agent.model.Stream(ctx, requestFor(r.agent.model, q)) {
		if err != nil {
			return ans, mapModelError(err)
		}
		acc.span.countChunk()
		if err := r.settleTurns(); err != nil {
			return ans, err
		}
		if err := acc.add(d); err != nil {
			return ans, err
		}
	}
	return ans, acc.close()
}

// openAnswer returns the request and what assembles its answer.
func (r *run) openAnswer(set toolset) (context.Context, *Request, *accumulator) {
	q := r.newRequest(set)
	r.requests++
	ctx, span := r.agent.tel.startChat(r.ctx, r.in)
	return ctx, q, &accumulator{answer: &answer{}, run: r, span: span, pending: r.text[:0],
		ids: callIDs{used: r.callIDs, run: r.in.Run, turns: len(r.turns), turn: r.answers}}
}

// closeAnswer ends the answer, whose error is err. It is deferred.
func (a *accumulator) closeAnswer(err *error) {
	if v := recover(); v != nil {
		if a.run.inConsumer {
			a.span.endChat(a.reason, a.usage, errConsumerLeft)
			panic(v)
		}
		if !errors.Is(*err, errConsumerLeft) { // a Model that continues after the loop was left panics
			*err = mapModelError(fmt.Errorf("agent: the model panicked: %v\n%s", v, debug.Stack()))
		}
	}
	a.flushText() // also of an answer that failed, for Done.Partial
	a.run.text = a.pending
	a.span.endChat(a.reason, a.usage, *err)
}

// newRequest returns the request of this turn. Its slices are clipped, so that a Model may append to them.
func (r *run) newRequest(set toolset) *Request {
	q := &Request{
		System:    r.system,
		Messages:  r.requestMessages(),
		Tools:     set.listSpecs(),
		MaxTokens: r.agent.limits.MaxTokens,
		Cache:     r.agent.cache,
		Load:      r.agent.newLoader(r.in.newReach()),
	}
	switch {
	case r.isStructured():
		q.Output = r.out.requestSpec()
	case r.out != nil && r.answers > 1 && r.prompt != nil && !r.isContinuing(): // the prompt requests the typed answer
		q.Choice = Choice{Name: r.out.name}
	}
	return q
}
