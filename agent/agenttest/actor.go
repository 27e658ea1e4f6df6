package agenttest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
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
	// Look: text that holds the word, which is asked for along with an image and a document, whose bytes the request
	// holds.
	Look Behaviour = "look"
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

// wishes are how the suite asks for a behaviour. A real model does the first five if it is asked so.
var wishes = map[Behaviour]string{
	Speak:      `Say %q twenty times, and nothing else.`,
	CallOnce:   `Call the tool look_up once, with the word %q.`,
	CallMany:   `Call the tool look_up three times in one answer, each time with the word %q.`,
	Reason:     `Think about the word %q first, then say it.`,
	Look:       `Look at the image, read the document, and say %q a few times.`,
	Stuck:      `Say %q a few times, then say nothing more, and do not end.`,
	FailAtOnce: `Do not think of %q: fail.`,
	FailLater:  `Say %q a few times, then fail.`,
}

// Ask is the request by which the suite asks for a behaviour: a single message, and the tool look_up. What Look is
// about are a PNG image and a plain text.
func Ask(b Behaviour, word string) *agent.Request {
	m := agent.Message{Role: agent.User}
	if b == Look {
		m.Parts = append(m.Parts, agent.Part{Image: image()}, agent.Part{Document: document(word)})
	}
	m.Parts = append(m.Parts, agent.Part{Text: fmt.Sprintf(wishes[b], word)})
	return &agent.Request{
		System:    "You do what you are asked to do.",
		Messages:  []agent.Message{m},
		Tools:     []tools.Spec{lookUp},
		MaxTokens: 512,
	}
}

// image is a white pixel.
func image() *tools.Media {
	return &tools.Media{Format: "png", Bytes: []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x00\x00\x00\x00:~\x9bU" +
		"\x00\x00\x00\nIDATx\x9cc\xf8\x0f\x00\x01\x01\x01\x00\xb18\xf6\x14\x00\x00\x00\x00IEND\xaeB`\x82")}
}

func document(word string) *tools.Media {
	return &tools.Media{Format: "txt", Bytes: []byte("It says " + word + ".\n")}
}

// shown says whether the last message holds what Ask puts there for Look, byte for byte.
func shown(r *agent.Request, word string) bool {
	holds := func(want *tools.Media, of func(agent.Part) *tools.Media) bool {
		return slices.ContainsFunc(last(r), func(p agent.Part) bool {
			got := of(p)
			return got != nil && got.Format == want.Format && bytes.Equal(got.Bytes, want.Bytes)
		})
	}
	return holds(image(), func(p agent.Part) *tools.Media { return p.Image }) &&
		holds(document(word), func(p agent.Part) *tools.Media { return p.Document })
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
	case Look:
		if !shown(r, word) {
			return Fail(&agent.ModelError{Code: agent.InvalidCall, Message: "The image or the document did not arrive as it was sent."})
		}
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
