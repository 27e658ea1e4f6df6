package agenttest

import (
	"bytes"
	"context"
	"fmt"
	"reflect"
	"regexp"
	"runtime/debug"
	"runtime/pprof"
	"strconv"
	"strings"
	"time"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/tools"
)

// bench is a model under one check. Its methods end the check where something goes wrong: they panic with a failed,
// which try turns into an error. They belong to the check's own goroutine.
type bench struct {
	ctx   context.Context
	m     agent.Model
	o     TestOptions
	label string // of the goroutines that the check's streams start
}

type failed struct{ err error }

func (b *bench) try(c check) (err error) {
	defer func() {
		if p := recover(); p != nil {
			f, ok := p.(failed)
			if !ok {
				panic(p)
			}
			err = f.err
		}
	}()
	c.run(b, c.needs)
	return nil
}

func (b *bench) fail(format string, args ...any) { panic(failed{fmt.Errorf(format, args...)}) }

// request asks for a behaviour. Beyond the ends of its slices lies what nobody may write to.
func (b *bench) request(w Behaviour, word string) *agent.Request {
	r := b.o.Request(w, word)
	if r == nil {
		b.fail("there is no request that makes the model %s", w)
	}
	r = clone(r)
	r.Messages = roomy(r.Messages, agent.Message{Role: "guard"})
	for i := range r.Messages {
		r.Messages[i].Parts = roomy(r.Messages[i].Parts, agent.Part{Text: "guard"})
	}
	r.Tools = roomy(r.Tools, tools.Spec{Name: "guard"})
	return r
}

// roomy is s with room for one more, in which the guard stands.
func roomy[T any](s []T, guard T) []T {
	return append(append(make([]T, 0, len(s)+1), s...), guard)[:len(s)]
}

// intact fails if the request is not as it was, or something was appended in its room.
func (b *bench) intact(r, was *agent.Request) {
	kept := clone(r)
	kept.Load, was.Load = nil, nil
	if !reflect.DeepEqual(kept, was) {
		b.fail("the request was changed")
	}
	ok := r.Messages[:len(r.Messages)+1][len(r.Messages)].Role == "guard" &&
		r.Tools[:len(r.Tools)+1][len(r.Tools)].Name == "guard"
	for _, m := range r.Messages {
		ok = ok && m.Parts[:len(m.Parts)+1][len(m.Parts)].Text == "guard"
	}
	if !ok {
		b.fail("something was appended in place to the request's slices")
	}
}

// seen is what a consumer saw of a stream.
type seen struct {
	deltas []agent.Delta
	err    error
	odd    string // what was wrong with the yields themselves
	late   int    // yields after the consumer had left
	panics any    // what the stream panicked with
	stack  string
}

func (s *seen) take(d agent.Delta, err error) {
	switch {
	case s.odd != "":
	case s.err != nil && err != nil:
		s.odd = fmt.Sprintf("an error after the error: %v, then %v", s.err, err)
	case s.err != nil:
		s.odd = fmt.Sprintf("a delta after the error: %T", d)
	case d != nil && err != nil:
		s.odd = fmt.Sprintf("a delta, %T, and an error, %v, in one pair", d, err)
	case d == nil && err == nil:
		s.odd = "a pair of nothing"
	}
	if err != nil {
		s.err = err
		return
	}
	s.deltas = append(s.deltas, d)
}

// text is what was said.
func (s *seen) text() string {
	var b strings.Builder
	for _, d := range s.deltas {
		if t, ok := d.(agent.TextPart); ok {
			b.WriteString(t.Text)
		}
	}
	return b.String()
}

// stream is one that runs.
type stream struct {
	done  chan *seen
	first chan struct{} // closed at the first delta
}

// start ranges over a stream in a goroutine of its own. each is called after each yield with how many there were; the
// consumer leaves when it gives false.
func (b *bench) start(ctx context.Context, r *agent.Request, each func(n int) bool) *stream {
	st := &stream{done: make(chan *seen, 1), first: make(chan struct{})}
	go pprof.Do(ctx, pprof.Labels("agenttest", b.label), func(ctx context.Context) {
		s := &seen{}
		defer func() {
			if s.panics = recover(); s.panics != nil {
				s.stack = string(debug.Stack())
			}
			st.done <- s
		}()
		n, gone := 0, false
		b.m.Stream(ctx, r)(func(d agent.Delta, err error) bool {
			if gone {
				s.late++
				return false
			}
			s.take(d, err)
			if n++; n == 1 {
				close(st.first)
			}
			gone = true // if each panics, and for good if it gives false
			gone = !each(n)
			return !gone
		})
	})
	return st
}

// wait gives what was seen once the stream has returned.
func (b *bench) wait(st *stream, within time.Duration, since string) *seen {
	t := time.NewTimer(within)
	defer t.Stop()
	select {
	case s := <-st.done:
		return s
	case <-t.C:
		b.fail("the stream has not returned %v after %s", within, since)
	case <-b.ctx.Done():
		panic(failed{b.ctx.Err()})
	}
	return nil
}

// watch ranges over a stream to its end, or until the consumer leaves, and fails for what no stream may do.
func (b *bench) watch(ctx context.Context, r *agent.Request, each func(n int) bool) *seen {
	return b.sound(b.wait(b.start(ctx, r, each), b.o.Answer, "its request"))
}

func always(int) bool { return true }

// sound fails for what no stream may do, whatever it says.
func (b *bench) sound(s *seen) *seen {
	switch {
	case s.late > 0:
		b.fail("it goes on after its consumer has left the loop")
	case s.panics != nil:
		b.fail("it panics: %v\n%s", s.panics, s.stack)
	case s.odd != "":
		b.fail("it yields %s", s.odd)
	}
	return s
}

// ask gets a whole answer.
func (b *bench) ask(r *agent.Request) *seen {
	s := b.watch(b.ctx, r, always)
	if s.err != nil {
		b.fail("it fails: %w", s.err)
	}
	b.whole(s, r)
	return s
}

// released fails if goroutines that streams have started are still there after the given number of streams. A few
// may be: a model may pool connections.
func (b *bench) released(streams int) {
	deadline := time.Now().Add(b.o.Release)
	for {
		n := goroutines(b.label)
		if n < streams {
			return
		}
		if !time.Now().Before(deadline) {
			b.fail("after %d streams %d of their goroutines are still there", streams, n)
		}
		b.pause(b.o.Release / 50)
	}
}

func (b *bench) pause(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-b.ctx.Done():
		panic(failed{b.ctx.Err()})
	case <-t.C:
	}
}

var goroutineCount = regexp.MustCompile(`(?m)^(\d+) @ `)

// goroutines counts those that carry the label, which they have from whoever started them.
func goroutines(label string) int {
	var b bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&b, 1); err != nil {
		return 0
	}
	n := 0
	for record := range strings.SplitSeq(b.String(), "\n\n") {
		if !strings.Contains(record, fmt.Sprintf("%q:%q", "agenttest", label)) {
			continue
		}
		if m := goroutineCount.FindStringSubmatch(record); m != nil {
			c, _ := strconv.Atoi(m[1])
			n += c
		}
	}
	return n
}
