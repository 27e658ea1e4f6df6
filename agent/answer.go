package agent

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/carrel-go/carrel/internal/strictjson"
)

// answer is one answer of the model, which may be incomplete.
type answer struct {
	parts []Part       // text, reasoning, citations and the valid calls, in order
	calls []answerCall // all calls, in order
	// isVisible reports whether an event of the answer has been yielded.
	isVisible bool
	// hasSkipped reports whether the Model has skipped a piece of the answer, such as a call that its service made.
	hasSkipped bool
}

type answerCall struct {
	ToolUse
	args strictjson.Value // of a valid call
	// invalid is why the call can neither be made nor be sent back to the model, or nil.
	invalid error
}

// buildMessage returns the answer for the history. It leaves out invalid calls, because services reject them; the batch
// has notes about them instead. It also leaves out blank text, and reasoning that nothing follows.
func (a *answer) buildMessage() Message {
	m := Message{Role: RoleAssistant, Parts: a.parts}
	for _, p := range a.parts {
		if p.Reasoning == nil && p.Citation == nil {
			return m
		}
	}
	if len(a.calls) == 0 {
		return Message{Role: RoleAssistant}
	}
	m.Parts = append(m.Parts, Part{Text: "(a tool call that could not be read)"})
	return m
}

func (a *answer) joinText() string {
	var b strings.Builder
	for _, p := range a.parts {
		b.WriteString(p.Text)
	}
	return b.String()
}

// check returns an error if the stop reason, or text that is not UTF-8, forbids the answer.
func (a *answer) check(reason StopReason) error {
	switch reason {
	case StopEndTurn, StopSequence:
	case StopToolUse:
		if len(a.calls) == 0 && (!a.hasSkipped || strings.TrimSpace(a.joinText()) == "") {
			return malformedAnswer(errors.New("agent: the model stopped for a tool call but made none"))
		}
	case StopPauseTurn: // endWithText asks the model to continue
	case StopMaxTokens:
		return &RunError{Code: CodeTruncated, Message: "The model's answer was longer than it may be, and was cut off."}
	case StopContentFiltered:
		return &RunError{Code: CodeFiltered, Message: "The model's answer was withheld by a content filter."}
	case StopContextWindow:
		return &RunError{Code: CodeContextFull, Message: "The conversation has become too long for the model."}
	case StopMalformed:
		return malformedAnswer(errors.New("agent: the service reports that the model's output was malformed"))
	default:
		if len(a.calls) > 0 || strings.TrimSpace(a.joinText()) == "" {
			return &RunError{Code: CodeMalformed, Message: "The model stopped for a reason that is not known here.",
				Err: fmt.Errorf("agent: the model stopped for the unknown reason %q", reason)}
		}
	}
	for _, p := range a.parts {
		if !utf8.ValidString(p.Text) {
			return malformedAnswer(errors.New("agent: the model's text is not UTF-8"))
		}
	}
	return nil
}
