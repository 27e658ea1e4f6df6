package agenttest

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/tools"
)

// behaviour is something that a model does in [TestModel]. Its value is the prompt that asks for it. A real model would
// understand most of them.
type behaviour string

const (
	speak        behaviour = `Say %q twenty times, and nothing else.`
	speakLong    behaviour = `Say %q a thousand times.`
	callOnce     behaviour = `Call the tool look_up once, with the word %q.`
	callMany     behaviour = `Call the tool look_up three times in one answer, each time with the word %q.`
	callIfForced behaviour = `Say %q a few times. If you must call a tool, call it with this word instead.`
	reason       behaviour = `Think about the word %q first, then say it.`
	look         behaviour = `Look at the image, read the document, and say %q a few times.`
	followSystem behaviour = `Say a few times what you were instructed to say.`
	judgeResult  behaviour = `Say %q a few times if the last result is an error, otherwise say "fine".`
	stall        behaviour = `Say %q a few times, then say nothing more, and do not end.`
	failEarly    behaviour = `Do not think of %q: fail.`
	failLate     behaviour = `Say %q a few times, then fail.`
)

var behaviours = []behaviour{
	speak, speakLong, callOnce, callMany, callIfForced, reason, look, followSystem, judgeResult, stall, failEarly,
	failLate,
}

// fewTokens is a limit that the answer to [speakLong] exceeds.
const fewTokens = 8

// lookUp is the tool that the requests offer.
var lookUp = tools.Spec{
	Name:        "look_up",
	Description: "Looks a word up.",
	Schema:      json.RawMessage(`{"type":"object","properties":{"word":{"type":"string"}},"required":["word"],"additionalProperties":false}`),
}

const instruction = `If you are asked what you were instructed to say, it is %q.`

// newRequest returns a request for the behaviour, with this word in the answer: one message, and the tool look_up. It
// shares nothing with other requests.
func (b behaviour) newRequest(word string) *agent.Request {
	r := &agent.Request{System: "Do what you are asked to do.", MaxTokens: 512}
	m := agent.Message{Role: agent.RoleUser}
	prompt := string(b)
	switch b {
	case followSystem:
		r.System += " " + fmt.Sprintf(instruction, word)
	case look:
		m.Parts = append(m.Parts, agent.Part{Image: newImage()}, agent.Part{Document: newDocument(word)})
		fallthrough
	default:
		prompt = fmt.Sprintf(prompt, word)
	}
	m.Parts = append(m.Parts, agent.Part{Text: prompt})
	r.Messages = []agent.Message{m}
	spec := lookUp
	spec.Schema = append(json.RawMessage(nil), lookUp.Schema...)
	r.Tools = []tools.Spec{spec}
	return r
}

// parseBehaviour returns the behaviour that the end of the last message asks for, and its word.
func parseBehaviour(r *agent.Request) (b behaviour, word string, ok bool) {
	prompt := joinText(lastParts(r))
	if strings.HasSuffix(prompt, string(followSystem)) {
		system := r.System // an adapter for a model without system prompts sends it in the first message
		if len(r.Messages) > 0 {
			system += joinText(r.Messages[0].Parts)
		}
		word, _ = cutWord(system, instruction)
		return followSystem, word, true
	}
	for _, b := range behaviours {
		before, after, _ := strings.Cut(string(b), "%q")
		at := strings.LastIndex(prompt, before+`"`)
		if at < 0 || !strings.HasSuffix(prompt, `"`+after) {
			continue
		}
		if from, to := at+len(before)+1, len(prompt)-len(after)-1; from <= to {
			return b, prompt[from:to], true
		}
	}
	return "", "", false
}

// cutWord returns the word that stands for %q of the format in text.
func cutWord(text, format string) (string, bool) {
	before, after, _ := strings.Cut(format, "%q")
	_, rest, ok := strings.Cut(text, before+`"`)
	if !ok {
		return "", false
	}
	word, _, ok := strings.Cut(rest, `"`+after)
	return word, ok
}

// newImage returns a white pixel.
func newImage() *tools.Media {
	return &tools.Media{Format: "png",
		Bytes: []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x00\x00\x00\x00:~\x9bU" +
			"\x00\x00\x00\nIDATx\x9cc\xf8\x0f\x00\x01\x01\x01\x00\xb18\xf6\x14\x00\x00\x00\x00IEND\xaeB`\x82")}
}

func newDocument(word string) *tools.Media {
	return &tools.Media{Format: "txt", Bytes: []byte("It says " + word + ".\n")}
}
