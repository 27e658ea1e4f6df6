package agenttest

import (
	"context"
	"fmt"
	"reflect"
	"runtime/debug"
	"runtime/pprof"
	"strings"
	"time"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/tools"
)

// probe is a model under one check. Its methods fail the check from the check's goroutine.
type probe struct {
	t     tester
	ctx   context.Context
	model agent.Model
	label string // of the goroutines that the check's streams start
}

func newProbe(t tester, m agent.Model, name string) *probe {
	p := &probe{t: t, ctx: t.Context(), model: m}
	p.label = fmt.Sprintf("%s %p", name, p) // one process may run the suite twice at once
	return p
}

func (p *probe) fail(format string, args ...any) { p.t.Fatalf(format, args...) }

const guard = "guard"

// newRequest returns a request for a behaviour. Its slices have room for an element, which holds a guard value: a model
// that appends in place overwrites it.
func (p *probe) newRequest(b behaviour, word string) *agent.Request {
	r := b.newRequest(word)
	r.Messages = addGuard(r.Messages, agent.Message{Role: guard})
	for i := range r.Messages {
		r.Messages[i].Parts = addGuard(r.Messages[i].Parts, agent.Part{Text: guard})
	}
	r.Tools = addGuard(r.Tools, tools.Spec{Name: guard})
	return r
}

func addGuard[T any](s []T, guard T) []T {
	return append(append(make([]T, 0, len(s)+1), s...), guard)[:len(s)]
}

// checkUnchanged fails if r, a request that has been answered, differs from a new one, or if the model appended to one
// of its slices.
func (p *probe) checkUnchanged(r, fresh *agent.Request) {
	if !reflect.DeepEqual(r, fresh) {
		p.fail("the model changed the request")
	}
	ok := r.Messages[:len(r.Messages)+1][len(r.Messages)].Role == guard &&
		r.Tools[:len(r.Tools)+1][len(r.Tools)].Name == guard
	for _, m := range r.Messages {
		ok = ok && m.Parts[:len(m.Parts)+1][len(m.Parts)].Text == guard
	}
	if !ok {
		p.fail("the model appended to a slice of the request in place")
	}
}

// transcript is the deltas and the error of a stream.
type transcript struct {
	deltas      []agent.Delta
	err         error
	violation   string // of the protocol of yields
	yieldsAfter int    // after the consumer had left
	panicValue  any
	stack       string
}

func (s *transcript) add(d agent.Delta, err error) {
	switch {
	case s.violation != "":
	case s.err != nil && err != nil:
		s.violation = fmt.Sprintf("an error after an error: %v, then %v", s.err, err)
	case s.err != nil:
		s.violation = fmt.Sprintf("a delta after an error: %T", d)
	case d != nil && err != nil:
		s.violation = fmt.Sprintf("a delta (%T) and an error (%v) in one pair", d, err)
	case d == nil && err == nil:
		s.violation = "neither a delta nor an error"
	}
	if err != nil {
		s.err = err
		return
	}
	s.deltas = append(s.deltas, d)
}

func (s *transcript) text() string {
	var b strings.Builder
	for _, d := range s.deltas {
		if t, ok := d.(agent.TextDelta); ok {
			b.WriteString(t.Text)
		}
	}
	return b.String()
}

func (s *transcript) calls() (out []agent.ToolUse) {
	for _, d := range s.deltas {
		if u, ok := d.(agent.UsePart); ok {
			out = append(out, u.ToolUse)
		}
	}
	return out
}

// stream is a stream in flight.
type stream struct {
	done  chan *transcript
	first chan struct{} // closed at the first yield
}

// startStream ranges over a stream in a new goroutine. It calls stays after every yield with the number of yields so
// far; the consumer leaves when stays returns false.
func (p *probe) startStream(ctx context.Context, r *agent.Request, stays func(n int) bool) *stream {
	st := &stream{done: make(chan *transcript, 1), first: make(chan struct{})}
	go pprof.Do(ctx, pprof.Labels(labelKey, p.label), func(ctx context.Context) {
		s := &transcript{}
		defer func() {
			if s.panicValue = recover(); s.panicValue != nil {
				s.stack = string(debug.Stack())
			}
			st.done <- s
		}()
		n, hasLeft := 0, false
		p.model.Stream(ctx, r)(func(d agent.Delta, err error) bool {
			if hasLeft {
				s.yieldsAfter++
				return false
			}
			s.add(d, err)
			if n++; n == 1 {
				close(st.first)
			}
			hasLeft = true // if stays panics
			hasLeft = !stays(n)
			return !hasLeft
		})
	})
	return st
}

func stayForever(int) bool { return true }

// awaitEnd returns the transcript of a stream that returns in time.
func (p *probe) awaitEnd(st *stream, within time.Duration, since string) *transcript {
	t := time.NewTimer(within)
	defer t.Stop()
	select {
	case s := <-st.done:
		return s
	case <-t.C:
		p.fail("the stream has not returned %v after %s", within, since)
		return nil
	}
}

// awaitFirst waits for a stream's first yield.
func (p *probe) awaitFirst(st *stream) {
	t := time.NewTimer(answerTimeout)
	defer t.Stop()
	select {
	case <-st.first:
	case s := <-st.done:
		st.done <- s
	case <-t.C:
		p.fail("the stream yields nothing within %v", answerTimeout)
	}
}

// readStream ranges over a stream until its end, or until the consumer leaves.
func (p *probe) readStream(ctx context.Context, r *agent.Request, stays func(n int) bool) *transcript {
	return p.checkYields(p.awaitEnd(p.startStream(ctx, r, stays), answerTimeout, "its request"))
}

// checkYields fails for yields that no stream may make.
func (p *probe) checkYields(s *transcript) *transcript {
	switch {
	case s.yieldsAfter > 0:
		p.fail("the stream yields after its consumer has left the loop")
	case s.panicValue != nil:
		p.fail("the stream panics: %v\n%s", s.panicValue, s.stack)
	case s.violation != "":
		p.fail("the stream yields %s", s.violation)
	}
	return s
}

func (p *probe) readAnswer(r *agent.Request) *transcript {
	s := p.readStream(p.ctx, r, stayForever)
	if s.err != nil {
		p.fail("the stream fails: %v", s.err)
	}
	p.checkAnswer(s, r)
	return s
}
