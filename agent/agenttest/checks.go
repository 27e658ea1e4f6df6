package agenttest

import (
	"context"
	"errors"
	"fmt"
	"runtime/pprof"
	"slices"
	"strings"
	"time"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/internal/strictjson"
)

// rounds is how often a check leaves a stream, and how many it runs at once.
const rounds = 16

// word is one that no model says by itself.
func word(n int) string { return fmt.Sprintf("zq%dvx", n) }

func speaksInText(b *bench, w Behaviour) {
	s := b.ask(b.request(w, word(0)))
	b.speaks(s, word(0))
}

// speaks fails unless the answer is text with the word, in several deltas.
func (b *bench) speaks(s *seen, word string) {
	texts := 0
	for _, d := range s.deltas {
		switch d.(type) {
		case agent.TextPart:
			texts++
		case agent.UsePart:
			b.fail("it calls a tool, and was to say something")
		}
	}
	if !strings.Contains(s.text(), word) {
		b.fail("it says %.200q, without %q", s.text(), word)
	}
	if texts < 2 {
		b.fail("its text comes in one piece, and was to come in several")
	}
}

func uses(s *seen) (out []agent.ToolUse) {
	for _, d := range s.deltas {
		if u, ok := d.(agent.UsePart); ok {
			out = append(out, u.ToolUse)
		}
	}
	return out
}

func wholeCalls(b *bench, w Behaviour) {
	b.calls(b.ask(b.request(w, word(0))), word(0), 1, 1)
}

func manyCalls(b *bench, w Behaviour) {
	b.calls(b.ask(b.request(w, word(0))), word(0), 2, 1<<20)
}

// calls fails unless the answer has so many calls, each with the word in its arguments.
func (b *bench) calls(s *seen, word string, least, most int) {
	us := uses(s)
	if len(us) < least || len(us) > most {
		b.fail("it makes %d calls", len(us))
	}
	for _, u := range us {
		if err := strictjson.CheckObject(u.Input); err != nil {
			b.fail("the arguments of %s are %v: %.200q", u.Name, err, u.Input)
		}
		if !strings.Contains(string(u.Input), word) {
			b.fail("the arguments of %s are %.200s, without %q", u.Name, u.Input, word)
		}
	}
}

func reasons(b *bench, w Behaviour) {
	s := b.ask(b.request(w, word(0)))
	if !slices.ContainsFunc(s.deltas, func(d agent.Delta) bool { _, ok := d.(agent.ReasoningPart); return ok }) {
		b.fail("it gives no block of reasoning")
	}
	if !strings.Contains(s.text(), word(0)) {
		b.fail("it says %.200q, without %q", s.text(), word(0))
	}
}

func requestKept(b *bench, w Behaviour) {
	r := b.request(w, word(0))
	was := clone(r)
	b.ask(r)
	b.intact(r, was)
}

// inputGiven writes over the arguments of a call, as their owner may.
func inputGiven(b *bench, w Behaviour) {
	for range 2 {
		s := b.ask(b.request(w, word(0)))
		b.calls(s, word(0), 1, 1)
		input := uses(s)[0].Input
		for i := range input {
			input[i] = '#'
		}
	}
}

func notBefore(b *bench, w Behaviour) {
	ctx, cancel := context.WithCancel(b.ctx)
	defer cancel()
	pprof.Do(ctx, pprof.Labels("agenttest", b.label), func(ctx context.Context) {
		for range rounds {
			_ = b.m.Stream(ctx, b.request(w, word(0)))
		}
	})
	b.released(1)
}

func leaving(b *bench, w Behaviour) {
	for range rounds {
		st := b.start(b.ctx, b.request(w, word(0)), func(int) bool { return false })
		b.first(st)
		s := b.sound(b.wait(st, b.o.Release, "its consumer left the loop"))
		if s.err != nil {
			b.fail("it fails: %w", s.err)
		}
	}
	b.released(rounds)
}

// first waits for a stream's first yield.
func (b *bench) first(st *stream) {
	t := time.NewTimer(b.o.Answer)
	defer t.Stop()
	select {
	case <-st.first:
	case s := <-st.done:
		st.done <- s
	case <-t.C:
		b.fail("it says nothing within %v", b.o.Answer)
	}
}

func leavingAnywhere(b *bench, w Behaviour) {
	n := len(b.ask(b.request(w, word(0))).deltas)
	for i := range min(n, rounds) {
		b.watch(b.ctx, b.request(w, word(0)), func(n int) bool { return n <= i })
	}
}

func panicking(b *bench, w Behaviour) {
	type sentinel struct{}
	for range rounds {
		s := b.wait(b.start(b.ctx, b.request(w, word(0)), func(int) bool { panic(sentinel{}) }), b.o.Answer, "its request")
		if s.panics != any(sentinel{}) {
			b.fail("a panic of the consumer comes out of the stream as %v", s.panics)
		}
		if s.late > 0 {
			b.fail("it goes on after its consumer has panicked")
		}
	}
	b.released(rounds)
}

func endedBefore(b *bench, w Behaviour) {
	ctx, cancel := context.WithCancel(b.ctx)
	cancel()
	s := b.watch(ctx, b.request(w, word(0)), always)
	if len(s.deltas) > 0 {
		b.fail("it answers: %T", s.deltas[0])
	}
	b.wantErr(s.err, context.Canceled)
}

func (b *bench) wantErr(err, want error) {
	switch {
	case err == nil:
		b.fail("it ends without an error, want %q", want.Error())
	case !errors.Is(err, want):
		b.fail("its error is %q, want %q", err.Error(), want.Error())
	}
}

// moment is how long a check waits for a stream to have fallen silent.
const moment = 20 * time.Millisecond

func cancelledInSilence(b *bench, w Behaviour) {
	for range rounds {
		ctx, cancel := context.WithCancel(b.ctx)
		st := b.start(ctx, b.request(w, word(0)), always)
		b.first(st)
		b.pause(moment)
		cancel()
		s := b.sound(b.wait(st, b.o.Release, "its context was cancelled"))
		b.wantErr(s.err, context.Canceled)
		b.cut(s)
	}
	b.released(rounds)
}

// cut fails if an answer that did not come to its end looks as if it had.
func (b *bench) cut(s *seen) {
	for _, d := range s.deltas {
		if _, ok := d.(agent.StopPart); ok {
			b.fail("it gives a StopPart, and fails then")
		}
	}
}

func deadline(b *bench, w Behaviour) {
	ctx, cancel := context.WithTimeout(b.ctx, 2*moment)
	defer cancel()
	s := b.sound(b.wait(b.start(ctx, b.request(w, word(0)), always), 2*moment+b.o.Release, "its deadline"))
	b.wantErr(s.err, context.DeadlineExceeded)
	b.cut(s)
}

func failsAtOnce(b *bench, w Behaviour) {
	s := b.watch(b.ctx, b.request(w, word(0)), always)
	if len(s.deltas) > 0 {
		b.fail("it answers, with %T, and was to fail", s.deltas[0])
	}
	b.modelError(s.err)
}

func failsLater(b *bench, w Behaviour) {
	s := b.watch(b.ctx, b.request(w, word(0)), always)
	if !strings.Contains(s.text(), word(0)) {
		b.fail("what it had said is lost: %.200q is without %q", s.text(), word(0))
	}
	b.modelError(s.err)
	b.cut(s)
}
