package agent

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/carrel-go/carrel/tools"
)

// rejection begins the message that rejects a typed answer. It tells the message from those of the user.
const rejection = "Your answer was not taken: "

// isAnswer reports whether a call of that name gives the typed answer.
func (r *run) isAnswer(name string) bool {
	return r.out != nil && !r.out.structured && name == r.out.name
}

// isStructured reports whether the text of an answer is the typed answer.
func (r *run) isStructured() bool { return r.out != nil && r.out.structured }

// request returns what a Model is asked for: the name and the schema of the answer.
func (o *output) request() *tools.Spec {
	return &tools.Spec{Name: o.name, Description: "The answer.", Schema: o.tool.Spec().Schema}
}

// takeText takes the text of an answer as the typed answer. If it does not fit, the model gets the reason, and is asked again.
func (r *run) takeText(ans *answer) (Stop, *RunError) {
	value := json.RawMessage(strings.TrimSpace(ans.text()))
	_, err := r.out.tool.Call(r.ctx, tools.NewCall(tools.CallOptions{
		Scope: r.in.Scope, Name: r.out.name, Args: value, State: r.state,
	}))
	if err == nil {
		if r.value, err = r.out.tool.Validate(value); err != nil {
			return "", otherForm(err)
		}
		return r.commit(ans.message(), nil, Complete)
	}
	why := explainFailure(err, "it could not be checked.").Blocks[0].Text
	r.failure = fmt.Errorf("agent: typed answer: %w", err)
	why = rejection + strings.TrimSuffix(why, ".") + ". Give the whole answer again, as JSON of the form that was asked for."
	return r.askAgain(ans.message(), why)
}

// askAgain adds an answer that is not the typed one to the history, and asks for another.
func (r *run) askAgain(answer Message, request string) (Stop, *RunError) {
	ended := r.add(answer, nil)
	r.failing++
	r.prompt = &Message{Role: User, Parts: []Part{{Text: request}}}
	r.say(*r.prompt)
	r.save(nil, ended)
	return "", nil
}

// isRequest reports whether a text is one of the agent's requests for a typed answer.
func isRequest(text string) bool {
	return strings.HasPrefix(text, insistence) || strings.HasPrefix(text, rejection)
}

// tellText yields more text of the model. The text of a typed answer is yielded as a Partial, as far as it has come,
// unless it is no JSON object. It returns false if the consumer is gone.
func (r *run) tellText(ans *answer, text string) bool {
	if !r.isStructured() || ans.plain {
		ans.began = true
		return r.emit(TextDelta{text})
	}
	id := fmt.Sprintf("answer-%d", r.turn)
	if !r.grow(ans, UseDelta{ID: id, Input: text}) {
		return false
	}
	p := ans.growing[id]
	if p.cut > 0 || p.want != lost {
		return true
	}
	ans.plain, ans.began = true, true
	return r.emit(TextDelta{string(p.buf)})
}
