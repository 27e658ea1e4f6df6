package agent

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/carrel-go/carrel/tools"
)

// rejection begins the message that rejects a typed answer, and distinguishes it from a user's message.
const rejection = "Your answer was not taken: "

// isOutputCall reports whether a call of that tool gives the typed answer.
func (r *run) isOutputCall(name string) bool {
	return r.out != nil && !r.out.structured && name == r.out.name
}

// isStructured reports whether the text of an answer is the typed answer.
func (r *run) isStructured() bool { return r.out != nil && r.out.structured }

// request returns the Request.Output: the name and the schema of the answer.
func (o *typedOutput) request() *tools.Spec {
	return &tools.Spec{Name: o.name, Description: "The answer.", Schema: o.tool.Spec().Schema}
}

// takeStructured takes the text of an answer as the typed answer. If it is invalid, it asks the model again, with the
// reason.
func (r *run) takeStructured(ans *answer) (phase, error) {
	value := json.RawMessage(strings.TrimSpace(ans.text()))
	_, err := r.out.tool.Call(r.ctx, tools.NewCall(tools.CallOptions{
		Scope: r.in.Scope, Name: r.out.name, Args: value, State: r.state,
	}))
	if err == nil {
		if r.value, err = r.out.tool.Validate(value); err != nil {
			return nil, outputMismatch(err)
		}
		return r.commitTurn(ans.message(), nil, OutcomeComplete)
	}
	why := explainError(err, "it could not be checked.").Blocks[0].Text
	r.callErr = fmt.Errorf("agent: typed answer: %w", err)
	why = rejection + strings.TrimSuffix(why, ".") + ". Give the whole answer again, as JSON of the form that was asked for."
	r.failing++
	return r.askAgain(ans.message(), why)
}

// continueRequest is the message after an answer that the service has paused.
const continueRequest = "Your turn was paused before it was complete. Continue where you stopped."

// isContinuing reports whether the model is asked to continue a paused turn.
func (r *run) isContinuing() bool {
	return r.prompt != nil && r.prompt.Parts[0].Text == continueRequest
}

// askAgain adds an answer that does not end the run to the history, and requests another.
func (r *run) askAgain(answer Message, request string) (phase, error) {
	ended := r.addTurn(answer, nil)
	r.prompt = &Message{Role: RoleUser, Parts: []Part{{Text: request}}}
	r.addMessage(*r.prompt)
	if err := r.emit(StepFinished{r.turn}); err != nil {
		return nil, err
	}
	return askPhase{}, r.emitCheckpoint(r.checkpoint(nil), ended)
}

// isRequest reports whether a text is one of the agent's requests for another answer.
func isRequest(text string) bool {
	return strings.HasPrefix(text, outputRequest) || strings.HasPrefix(text, rejection) || text == continueRequest
}
