package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"unicode/utf8"

	"github.com/carrel-go/carrel/internal/strictjson"
)

// answer is one whole answer of the model.
type answer struct {
	parts []Part // text, reasoning and the calls that can be read, in order
	calls []call // all calls, in order
	began bool   // something of it has been yielded
	names callNames

	growing map[string]*prefix // typed answers as they come, by the call's id
	plain   bool               // the text is not the typed answer that was asked for
}

// call is one call in an answer.
type call struct {
	ToolUse
	// unreadable says why the call can neither be run nor be sent back as a call; nil if it can.
	unreadable error
}

// message is the answer as it goes into the history. Calls that cannot be read are not in it, since a service would
// refuse them; their place is taken by the batch's note. Blank text is left out for the same reason, and so is
// reasoning that led to nothing.
func (a *answer) message() Message {
	m := Message{Role: Assistant, Parts: a.parts}
	for _, p := range a.parts {
		if p.Reasoning == nil && p.Citation == nil {
			return m
		}
	}
	if len(a.calls) == 0 {
		return Message{Role: Assistant}
	}
	m.Parts = append(m.Parts, Part{Text: "(a tool call that could not be read)"})
	return m
}

// text is all the text of the answer.
func (a *answer) text() string {
	var b strings.Builder
	for _, p := range a.parts {
		b.WriteString(p.Text)
	}
	return b.String()
}

// ask sends one request and gathers the answer, or says why there is none. A panic in the Model is such a reason; a
// panic in the consumer goes on.
func (r *run) ask(offered offer) (ans *answer, failed *RunError) {
	ans = &answer{}
	var text strings.Builder
	flush := func() {
		if s := text.String(); strings.TrimSpace(s) != "" {
			ans.parts = append(ans.parts, Part{Text: s})
		}
		text.Reset()
	}
	q := r.request(offered)
	var (
		reason  Reason
		stopped bool
		used    *Usage
	)
	ctx, span := r.agent.tel.startChat(r.ctx, r.in)
	defer func() {
		if v := recover(); v != nil {
			if r.yielding {
				span.endChat(reason, used, true, nil)
				panic(v)
			}
			failed = modelFailed(fmt.Errorf("agent: the model panicked: %v\n%s", v, debug.Stack()))
		}
		flush() // what has come of the text is told also of an answer that failed
		span.endChat(reason, used, r.left, failed)
	}()

	for d, err := range r.agent.model.Stream(ctx, requestFor(r.agent.model, q)) {
		if err != nil {
			return ans, modelFailed(err)
		}
		if !r.settle() {
			return ans, nil
		}
		if _, ok := d.(UsagePart); stopped && !ok {
			return ans, breach(fmt.Errorf("agent: the model went on after its end, with %T", d))
		}
		switch d := d.(type) {
		case TextPart:
			if d.Text == "" {
				continue
			}
			text.WriteString(d.Text)
			if !r.tellText(ans, d.Text) {
				return ans, nil
			}
		case CitationPart:
			if failed := ans.cite(&text, d.Citation); failed != nil {
				return ans, failed
			}
			ans.began = true
			if !r.emit(d) {
				return ans, nil
			}
		case SkippedPart:
			r.skip(d.Kind)
			span.skip(d.Kind)
		case ReasoningDelta:
			if d.Text == "" {
				continue
			}
			ans.began = true
			if !r.emit(d) {
				return ans, nil
			}
		case ReasoningPart:
			flush()
			if failed := ans.reason(sign(r.agent.model, d).Reasoning); failed != nil {
				return ans, failed
			}
		case UseDelta:
			d.ID = r.name(ans, d.ID)
			if r.isAnswer(d.Name) && !r.grow(ans, d) {
				return ans, nil
			}
		case UsePart:
			flush()
			given := d.ID
			d.ID = r.name(ans, given)
			if ans.endCall(given) {
				return ans, breach(fmt.Errorf("agent: two calls of the answer have the id %q", given))
			}
			if !r.whole(ans, d.ToolUse) {
				return ans, nil
			}
			ans.add(d.ToolUse)
		case UsagePart:
			if !r.use(&used, d.Usage) {
				return ans, nil
			}
		case StopPart:
			reason, stopped = d.Reason, true
		default:
			return ans, breach(fmt.Errorf("agent: the model gave a delta of type %T", d))
		}
	}
	flush()
	if !stopped {
		return ans, &RunError{Code: Truncated, Message: "The model's answer was cut off.", Retryable: true,
			Err: errors.New("agent: the stream ended without a StopPart")}
	}
	r.reason = reason
	if failed := judge(reason, ans); failed != nil {
		return ans, failed
	}
	for _, c := range ans.calls {
		r.ids[c.ID] = true
	}
	return ans, nil
}

// use counts what the model says that the answer has cost so far, and emits what is new of it. It returns false if the
// consumer has left.
func (r *run) use(used **Usage, all Usage) bool {
	var before Usage
	first := *used == nil
	if !first {
		before = **used
		all = all.largest(before)
	}
	*used = &all
	more := all.minus(before)
	if more == (Usage{}) && !first {
		return true
	}
	r.cost(more)
	return r.emit(Used{more})
}

// reason takes a block of reasoning in, as it came. One without any content is left out, as blank text is.
func (a *answer) reason(g Reasoning) *RunError {
	if g.Text == "" && g.Signature == "" && len(g.Redacted) == 0 {
		return nil
	}
	if err := g.check(); err != nil {
		return breach(fmt.Errorf("agent: the model's reasoning: %w", err))
	}
	a.parts = append(a.parts, Part{Reasoning: &g})
	return nil
}

// add takes a call in, whether it can be read or not.
func (a *answer) add(u ToolUse) {
	if len(u.Input) == 0 {
		u.Input = json.RawMessage("{}") // how services stream a call without arguments
	}
	c := call{ToolUse: u}
	if !toolName.MatchString(u.Name) {
		c.unreadable = errors.New("its name is not a tool's name")
	} else if err := strictjson.CheckObject(u.Input); err != nil {
		c.unreadable = fmt.Errorf("its arguments are %w", err)
	} else {
		a.parts = append(a.parts, Part{Use: &u})
	}
	a.calls = append(a.calls, c)
}

// judge returns an error if the model's stop reason, or text that is not UTF-8, forbids the answer.
func judge(reason Reason, ans *answer) *RunError {
	switch reason {
	case EndTurn, StopSequence:
	case ToolUseReason:
		if len(ans.calls) == 0 {
			return breach(errors.New("agent: the model stopped for a tool call, and no call came"))
		}
	case MaxTokens:
		return &RunError{Code: Truncated, Message: "The model's answer was longer than it may be, and was cut off."}
	case ContentFiltered:
		return &RunError{Code: Filtered, Message: "The model's answer was withheld by a content filter."}
	case ContextWindow:
		return &RunError{Code: ContextFull, Message: "The conversation has become too long for the model."}
	case Malformed:
		return breach(errors.New("agent: the service says that the model's output was malformed"))
	default:
		if len(ans.calls) > 0 || strings.TrimSpace(ans.text()) == "" {
			return &RunError{Code: UnknownReason, Message: "The model stopped for a reason that is not known here.",
				Err: fmt.Errorf("agent: the model stopped for the unknown reason %q", reason)}
		}
	}
	for _, p := range ans.parts {
		if !utf8.ValidString(p.Text) {
			return breach(errors.New("agent: the model's text is not UTF-8"))
		}
	}
	return nil
}

// breach is an answer that contradicts itself or the protocol. Asked again, the model may well do better.
func breach(err error) *RunError {
	return &RunError{Code: BadOutput, Message: "The model's answer could not be understood.", Retryable: true, Err: err}
}

// modelFailed turns an error of the Model into the run's.
func modelFailed(err error) *RunError {
	if e, ok := errors.AsType[*ModelError](err); ok && e.Code != "" {
		return &RunError{Code: e.Code, Message: e.Message, Retryable: e.Retryable, Err: err}
	}
	return &RunError{Code: Internal, Message: "The model failed.", Err: err}
}
