package agenttest_test

import (
	"context"
	"iter"
	"slices"
	"sync"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/agenttest"
)

// wrap returns an actor whose yields f changes. f gets each pair and the consumer's yield.
type yield = func(agent.Delta, error) bool

func wrap(f func(d agent.Delta, err error, y yield) bool) agent.Model {
	return model(func(ctx context.Context, r *agent.Request, y yield) {
		for d, err := range agenttest.Actor().Stream(ctx, r) {
			if !f(d, err, y) {
				return
			}
		}
	})
}

// model is a Model written as one function.
type model func(ctx context.Context, r *agent.Request, y yield)

func (m model) Stream(ctx context.Context, r *agent.Request) iter.Seq2[agent.Delta, error] {
	return func(y func(agent.Delta, error) bool) { m(ctx, r, y) }
}

// after returns an actor that calls more at its end.
func after(more func(ctx context.Context, s *state, y yield)) agent.Model {
	return model(func(ctx context.Context, r *agent.Request, y yield) {
		s := &state{}
		for d, err := range agenttest.Actor().Stream(ctx, r) {
			if err != nil {
				s.err = err
			}
			if !y(d, err) {
				return
			}
		}
		more(ctx, s, y)
	})
}

type state struct{ err error }

// eager starts a goroutine before its stream is ranged over.
type eager struct{ stop context.Context }

func (e eager) Stream(ctx context.Context, r *agent.Request) iter.Seq2[agent.Delta, error] {
	go func() {
		select {
		case <-ctx.Done():
		case <-e.stop.Done():
		}
	}()
	return agenttest.Actor().Stream(ctx, r)
}

func isStop(d agent.Delta) bool { _, ok := d.(agent.StopPart); return ok }

type fault struct {
	model  func(stop context.Context) agent.Model // its leaks end with stop
	found  string                                 // a check that must find it
	passes string                                 // one that must not
}

func just(m agent.Model) func(context.Context) agent.Model {
	return func(context.Context) agent.Model { return m }
}

// remembering returns an actor that calls f with each request and the first one.
func remembering(f func(r *agent.Request, first *agent.Request)) agent.Model {
	var mu sync.Mutex
	var first *agent.Request
	return model(func(ctx context.Context, r *agent.Request, y yield) {
		mu.Lock()
		if first == nil {
			first = r
		}
		f(r, first)
		mu.Unlock()
		agenttest.Actor().Stream(ctx, r)(y)
	})
}

// changeRequest returns an actor that receives changed requests.
func changeRequest(f func(r *agent.Request) *agent.Request) agent.Model {
	return model(func(ctx context.Context, r *agent.Request, y yield) {
		c := *r
		agenttest.Actor().Stream(ctx, f(&c))(y)
	})
}

// changeErrorFlags returns an actor that receives all results with the same IsError.
func changeErrorFlags(isError bool) agent.Model {
	return changeRequest(func(r *agent.Request) *agent.Request {
		r.Messages = slices.Clone(r.Messages)
		for i, m := range r.Messages {
			r.Messages[i].Parts = slices.Clone(m.Parts)
			for j, p := range m.Parts {
				if p.Result != nil {
					result := *p.Result
					result.IsError = isError
					r.Messages[i].Parts[j].Result = &result
				}
			}
		}
		return r
	})
}

var refusal = &agent.ModelError{Code: agent.CodeInvalidCall, Message: "The service refused the request."}

// refuses returns an actor that fails if f returns true.
func refuses(f func(r *agent.Request) bool) agent.Model {
	return model(func(ctx context.Context, r *agent.Request, y yield) {
		if f(r) {
			y(nil, refusal)
			return
		}
		agenttest.Actor().Stream(ctx, r)(y)
	})
}

func anyPart(r *agent.Request, f func(p agent.Part) bool) bool {
	for _, m := range r.Messages {
		for _, p := range m.Parts {
			if f(p) {
				return true
			}
		}
	}
	return false
}
