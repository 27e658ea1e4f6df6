package agenttest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/internal/strictjson"
)

// newWord returns a word that no model says unless it is asked to.
func newWord(n int) string { return fmt.Sprintf("zq%dvx", n) }

var word = newWord(0)

func (p *probe) checkText(b behaviour) {
	p.checkSays(p.readAnswer(p.newRequest(b, word)), word)
}

// checkSays fails unless the answer is text that contains the word, in several deltas.
func (p *probe) checkSays(s *transcript, word string) {
	deltas := 0
	for _, d := range s.deltas {
		switch d.(type) {
		case agent.TextDelta:
			deltas++
		case agent.UsePart:
			p.fail("the answer calls a tool, want text")
		}
	}
	p.checkContains(s, word)
	if deltas < 2 {
		p.fail("the text comes in one delta, want several")
	}
}

func (p *probe) checkContains(s *transcript, word string) {
	if !strings.Contains(s.text(), word) {
		p.fail("the text is %.200q, want %q in it", s.text(), word)
	}
}

func checkOneCall(p *probe) {
	p.checkCalls(p.readAnswer(p.newRequest(callOnce, word)), word, 1, 1)
}

func checkManyCalls(p *probe) {
	p.checkCalls(p.readAnswer(p.newRequest(callMany, word)), word, 2, 1<<20)
}

// checkCalls fails unless the answer has between least and most calls, each with the word in its arguments.
func (p *probe) checkCalls(s *transcript, word string, least, most int) {
	calls := s.calls()
	if len(calls) < least || len(calls) > most {
		p.fail("the answer has %d calls, want at least %d and at most %d", len(calls), least, most)
	}
	for _, u := range calls {
		if err := strictjson.CheckObject(u.Input); err != nil {
			p.fail("the arguments of %s are invalid: %v: %.200q", u.Name, err, u.Input)
		}
		if !strings.Contains(string(u.Input), word) {
			p.fail("the arguments of %s are %.200s, want %q in them", u.Name, u.Input, word)
		}
	}
}

func checkReasoning(p *probe) {
	s := p.readAnswer(p.newRequest(reason, word))
	if !slices.ContainsFunc(s.deltas, func(d agent.Delta) bool { _, ok := d.(agent.ReasoningPart); return ok }) {
		p.fail("the answer has no ReasoningPart")
	}
	p.checkContains(s, word)
}

// checkSystemPrompt asks for a word that is in the system prompt alone.
func checkSystemPrompt(p *probe) {
	p.checkContains(p.readAnswer(p.newRequest(followSystem, word)), word)
}

// checkToolChoice forces a call of a tool that the prompt does not ask for.
func checkToolChoice(p *probe) {
	for _, choice := range []agent.Choice{{Name: lookUp.Name}, {Any: true}} {
		r := p.newRequest(callIfForced, word)
		r.Choice = choice
		if len(p.readAnswer(r).calls()) == 0 {
			p.fail("the answer has no call, although Request.Choice is %+v", choice)
		}
	}
	if len(p.readAnswer(p.newRequest(callIfForced, word)).calls()) > 0 {
		p.fail("the answer has a call, although Request.Choice is empty")
	}
}

func checkMaxTokens(p *probe) {
	r := p.newRequest(speakLong, word)
	r.MaxTokens = fewTokens
	for _, d := range p.readAnswer(r).deltas {
		if stop, ok := d.(agent.StopPart); ok && stop.Reason != agent.StopMaxTokens {
			p.fail("the stop reason is %q after a long answer with MaxTokens %d, want %q", stop.Reason, fewTokens,
				agent.StopMaxTokens)
		}
	}
}

func checkErrorFlag(p *probe) {
	for _, isError := range []bool{true, false} {
		history := callHistory()
		results := history[len(history)-1].Parts
		for _, part := range results {
			part.Result.IsError = isError
		}
		says := strings.Contains(p.readAnswer(p.withHistory(judgeResult, history...)).text(), word)
		if says != isError {
			p.fail("the model does not see that a result has IsError %v", isError)
		}
	}
}

func (p *probe) checkRequestUnchanged(b behaviour) {
	r := p.newRequest(b, word)
	p.readAnswer(r)
	p.checkUnchanged(r, p.newRequest(b, word))
}

// checkInputOwnership overwrites the arguments of a call, as their owner may.
func checkInputOwnership(p *probe) {
	for range 2 {
		s := p.readAnswer(p.newRequest(callOnce, word))
		p.checkCalls(s, word, 1, 1)
		input := s.calls()[0].Input
		for i := range input {
			input[i] = '#'
		}
	}
}
