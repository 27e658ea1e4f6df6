package agenttest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/tools"
)

// Actor returns a Model that does what the requests of [TestModel] ask for. Put it behind the server that an adapter
// is tested against, for example with bedrocktest.Front.
//
// Its errors are [*agent.ModelError]s whose causes have a method ServiceMessage() string: a message with internal
// names, as services send them. The server should send it as the service's message, so that the suite notices an
// adapter that shows it to people.
func Actor() agent.Model {
	return turnFunc(func(_ context.Context, r *agent.Request) Turn { return answerRequest(r) })
}

// answerRequest returns the turn that the text of the last message asks for.
func answerRequest(r *agent.Request) Turn {
	b, word, ok := parseBehaviour(r)
	if !ok {
		return Fail(&agent.ModelError{Code: agent.CodeInvalidCall, Message: "The actor does not understand the request."})
	}
	text := []agent.Delta{Say(word), Say(" "), Say(word + " "), Say(word)}
	call := func(i int) agent.Delta {
		input, _ := json.Marshal(map[string]string{"word": word}) // strings always marshal
		return Call(fmt.Sprintf("%s-%d-%d", word, len(r.Messages), i), lookUp.Name, string(input))
	}
	failure := &agent.ModelError{
		Code: agent.CodeUnavailable, Message: "The actor failed, as requested.", Retryable: true,
		Err: serviceError("arn:aws:bedrock:us-east-1:111122223333:foundation-model/actor does not say " + word),
	}
	switch b {
	case callOnce:
		return Answer(Say("So."), call(0), newUsage(3))
	case callMany:
		return Answer(call(0), call(1), call(2), newUsage(9))
	case callIfForced:
		if r.Choice != (agent.Choice{}) {
			return Answer(call(0), newUsage(3))
		}
	case reason:
		return Answer(agent.ReasoningDelta{Text: "It is "}, agent.ReasoningDelta{Text: word},
			agent.ReasoningPart{Reasoning: agent.Reasoning{Text: "It is " + word, Signature: "c2lnbmVk"}}, Say(word), Say("."))
	case look:
		if !showsMedia(r, word) {
			return Fail(&agent.ModelError{Code: agent.CodeInvalidCall,
				Message: "The image or the document did not arrive unchanged."})
		}
	case speakLong:
		if r.MaxTokens <= fewTokens {
			return Answer(append(text, agent.StopPart{Reason: agent.StopMaxTokens}, newUsage(fewTokens))...)
		}
	case judgeResult:
		if !lastResultFailed(r) {
			return Answer(Say("fine"), Say("."))
		}
	case stall:
		return Stall(text...)
	case failEarly:
		return Fail(failure)
	case failLate:
		return Fail(failure, text...)
	}
	return Answer(append(text, newUsage(2))...)
}

// newUsage returns the cost of an answer with that many tokens.
func newUsage(output int64) agent.Delta {
	return agent.UsageReport{Usage: agent.Usage{Input: 7, Output: output}}
}

// serviceError is the cause of the actor's errors.
type serviceError string

func (e serviceError) Error() string { return "the service says: " + string(e) }

// ServiceMessage returns the message that the server sends.
func (e serviceError) ServiceMessage() string { return string(e) }

// showsMedia reports whether the last message contains the media of [look] unchanged.
func showsMedia(r *agent.Request, word string) bool {
	contains := func(want *tools.Media, of func(agent.Part) *tools.Media) bool {
		return slices.ContainsFunc(lastParts(r), func(p agent.Part) bool {
			got := of(p)
			return got != nil && got.Format == want.Format && bytes.Equal(got.Bytes, want.Bytes)
		})
	}
	return contains(newImage(), func(p agent.Part) *tools.Media { return p.Image }) &&
		contains(newDocument(word), func(p agent.Part) *tools.Media { return p.Document })
}

// lastResultFailed reports whether the last result failed. An adapter without a flag writes it into the text.
func lastResultFailed(r *agent.Request) bool {
	for _, p := range slices.Backward(lastParts(r)) {
		if p.Result != nil {
			return p.Result.IsError || strings.HasPrefix(joinBlocks(p.Result.Result), "Error:")
		}
	}
	return false
}
