package agenttest

import (
	"context"
	"runtime/pprof"
	"strings"
	"time"

	"github.com/carrel-go/carrel/agent"
)

const (
	// rounds is the number of streams that a check leaves, and of those that it runs at once.
	rounds = 16
	// pause is the time in which a stream falls silent.
	pause = 20 * time.Millisecond
)

func checkLazyStart(p *probe) {
	ctx, cancel := context.WithCancel(p.ctx)
	defer cancel()
	pprof.Do(ctx, pprof.Labels(labelKey, p.label), func(ctx context.Context) {
		for range rounds {
			_ = p.model.Stream(ctx, p.newRequest(stall, word))
		}
	})
	p.checkReleased(1)
}

func checkLeavingSilence(p *probe) {
	for range rounds {
		st := p.startStream(p.ctx, p.newRequest(stall, word), func(int) bool { return false })
		p.awaitFirst(st)
		s := p.checkYields(p.awaitEnd(st, releaseTimeout, "its consumer left the loop"))
		if s.err != nil {
			p.fail("the stream fails: %v", s.err)
		}
	}
	p.checkReleased(rounds)
}

func checkLeavingAnywhere(p *probe) {
	n := len(p.readAnswer(p.newRequest(speak, word)).deltas)
	for i := range min(n, rounds) {
		p.readStream(p.ctx, p.newRequest(speak, word), func(n int) bool { return n <= i })
	}
}

func checkConsumerPanic(p *probe) {
	type sentinel struct{}
	for range rounds {
		st := p.startStream(p.ctx, p.newRequest(speak, word), func(int) bool { panic(sentinel{}) })
		s := p.awaitEnd(st, answerTimeout, "its request")
		if s.panicValue != any(sentinel{}) {
			p.fail("a panic of the consumer leaves the stream as %v", s.panicValue)
		}
		if s.yieldsAfter > 0 {
			p.fail("the stream yields after its consumer has panicked")
		}
	}
	p.checkReleased(rounds)
}

func checkEndedContext(p *probe) {
	ctx, cancel := context.WithCancel(p.ctx)
	cancel()
	s := p.readStream(ctx, p.newRequest(speak, word), stayForever)
	if len(s.deltas) > 0 {
		p.fail("the stream yields %T, although its context has ended", s.deltas[0])
	}
	p.checkContextError(s.err, context.Canceled)
}

func checkCancellation(p *probe) {
	for range rounds {
		ctx, cancel := context.WithCancel(p.ctx)
		st := p.startStream(ctx, p.newRequest(stall, word), stayForever)
		p.awaitFirst(st)
		p.waitFor(pause)
		cancel()
		s := p.checkYields(p.awaitEnd(st, releaseTimeout, "its context was cancelled"))
		p.checkContextError(s.err, context.Canceled)
		p.checkIncomplete(s)
	}
	p.checkReleased(rounds)
}

// checkIncomplete fails if an answer that was interrupted looks complete.
func (p *probe) checkIncomplete(s *transcript) {
	for _, d := range s.deltas {
		if _, ok := d.(agent.StopPart); ok {
			p.fail("the stream fails after its StopPart")
		}
	}
}

func checkDeadline(p *probe) {
	ctx, cancel := context.WithTimeout(p.ctx, 2*pause)
	defer cancel()
	st := p.startStream(ctx, p.newRequest(stall, word), stayForever)
	s := p.checkYields(p.awaitEnd(st, 2*pause+releaseTimeout, "its deadline"))
	p.checkContextError(s.err, context.DeadlineExceeded)
	p.checkIncomplete(s)
}

func checkEarlyError(p *probe) {
	s := p.readStream(p.ctx, p.newRequest(failEarly, word), stayForever)
	if len(s.deltas) > 0 {
		p.fail("the stream yields %T, want an error", s.deltas[0])
	}
	p.checkModelError(s.err, word)
}

func checkLateError(p *probe) {
	s := p.readStream(p.ctx, p.newRequest(failLate, word), stayForever)
	p.checkContains(s, word)
	p.checkModelError(s.err, word)
	p.checkIncomplete(s)
}

func checkConcurrentText(p *probe) { p.checkConcurrent(speak, p.checkSays) }

func checkConcurrentCalls(p *probe) {
	p.checkConcurrent(callOnce, func(s *transcript, word string) { p.checkCalls(s, word, 1, 1) })
}

// checkConcurrent runs streams at once, each with its own word. It fails if an answer has the word of another stream.
func (p *probe) checkConcurrent(b behaviour, check func(*transcript, string)) {
	for range 2 {
		var streams []*stream
		for i := range rounds {
			streams = append(streams, p.startStream(p.ctx, p.newRequest(b, newWord(i)), stayForever))
		}
		for i, st := range streams {
			s := p.checkYields(p.awaitEnd(st, answerTimeout, "its request"))
			if s.err != nil {
				p.fail("stream %d fails: %v", i, s.err)
			}
			p.checkAnswer(s, p.newRequest(b, newWord(i)))
			check(s, newWord(i))
			p.checkOnlyWord(s, i)
		}
	}
}

func (p *probe) checkOnlyWord(s *transcript, n int) {
	content := s.text()
	for _, u := range s.calls() {
		content += " " + string(u.Input)
	}
	for i := range rounds {
		if i != n && strings.Contains(content, newWord(i)) {
			p.fail("the answer of one stream appears in another: %.200q", content)
		}
	}
}
