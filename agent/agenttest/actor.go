package agenttest

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"strings"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/tools"
)

// Behaviour is something that [TestModel] has to see a model do.
type Behaviour string

// The behaviours. Each is asked for with a word, by which the answers of several streams are told apart.
const (
	// Speak: text that holds the word, in two deltas or more, and no calls.
	Speak Behaviour = "speak"
	// CallOnce: one call of the tool look_up, whose arguments hold the word.
	CallOnce Behaviour = "call once"
	// CallMany: two calls of look_up or more in one answer, each with the word in its arguments.
	CallMany Behaviour = "call many"
	// Reason: reasoning, then text, each with the word in it.
	Reason Behaviour = "reason"
	// Stuck: text that holds the word, and then silence, without end.
	Stuck Behaviour = "stuck"
	// FailAtOnce: an error before the first delta.
	FailAtOnce Behaviour = "fail at once"
	// FailLater: text that holds the word, in one delta or more, and then an error.
	FailLater Behaviour = "fail later"
)

// lookUp is the tool that the suite's requests offer.
var lookUp = tools.Spec{
	Name:        "look_up",
	Description: "Looks a word up.",
	Schema:      json.RawMessage(`{"type":"object","properties":{"word":{"type":"string"}},"required":["word"],"additionalProperties":false}`),
}

// wishes are how the suite asks for a behaviour. A real model does the first four if it is asked so.
var wishes = map[Behaviour]string{
	Speak:      `Say %q twenty times, and nothing else.`,
	CallOnce:   `Call the tool look_up once, with the word %q.`,
	CallMany:   `Call the tool look_up three times in one answer, each time with the word %q.`,
	Reason:     `Think about the word %q first, then say it.`,
	Stuck:      `Say %q a few times, then say nothing more, and do not end.`,
	FailAtOnce: `Do not think of %q: fail.`,
	FailLater:  `Say %q a few times, then fail.`,
}

// Ask is the request by which the suite asks for a behaviour: a single message, and the tool look_up.
func Ask(b Behaviour, word string) *agent.Request {
	return &agent.Request{
		System:    "You do what you are asked to do.",
		Messages:  []agent.Message{{Role: agent.User, Parts: []agent.Part{{Text: fmt.Sprintf(wishes[b], word)}}}},
		Tools:     []tools.Spec{lookUp},
		MaxTokens: 512,
	}
}

// Actor is a Model that behaves as the suite's requests ask it to: it belongs behind the server that an adapter is
// tested against. What it says, and where it fails, is in [Act].
func Actor() agent.Model { return actor{} }

type actor struct{}

func (actor) Stream(ctx context.Context, r *agent.Request) iter.Seq2[agent.Delta, error] {
	return func(yield func(agent.Delta, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(nil, err)
			return
		}
		Act(r).play(ctx, yield)
	}
}

// Act is what [Actor] answers to one request: what the text of the last message asks for. The errors are an
// [*agent.ModelError] with the code Unavailable. What it is not asked for in the suite's words it answers with an
// InvalidCall.
func Act(r *agent.Request) Turn {
	b, word, ok := understand(lastText(r))
	if !ok {
		return Fail(&agent.ModelError{Code: agent.InvalidCall, Message: "The actor is not asked for anything that it does."})
	}
	failure := &agent.ModelError{Code: agent.Unavailable, Message: "The actor fails, as it was asked to.", Retryable: true}
	said := []agent.Delta{Say(word), Say(" "), Say(word + " "), Say(word)}
	call := func(i int) agent.Delta {
		input, _ := json.Marshal(map[string]string{"word": word}) // strings always marshal
		return Call(fmt.Sprintf("%s-%d-%d", word, len(r.Messages), i), lookUp.Name, string(input))
	}
	switch b {
	case CallOnce:
		return Answer(Say("So."), call(0), Spent(7, 3))
	case CallMany:
		return Answer(call(0), call(1), call(2), Spent(7, 9))
	case Reason:
		return Answer(agent.ReasoningDelta{Text: "It is "}, agent.ReasoningDelta{Text: word}, Think("It is "+word, "c2lnbmVk"), Say(word), Say("."))
	case Stuck:
		return Stall(said...)
	case FailAtOnce:
		return Fail(failure)
	case FailLater:
		return Fail(failure, said...)
	}
	return Answer(append(said, Spent(7, 2))...)
}

// understand is the reverse of Ask. The wish is the last that is said.
func understand(said string) (b Behaviour, word string, ok bool) {
	for b, wish := range wishes {
		before, after, _ := strings.Cut(wish, "%q")
		at := strings.LastIndex(said, before+`"`)
		if at < 0 || !strings.HasSuffix(said, `"`+after) {
			continue
		}
		if from, to := at+len(before)+1, len(said)-len(after)-1; from <= to {
			return b, said[from:to], true
		}
	}
	return "", "", false
}
