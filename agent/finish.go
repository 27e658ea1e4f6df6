package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/carrel-go/carrel/tools"
)

// takeStructured takes the text of an answer as the typed answer. If it is invalid, it asks the model again, with the
// reason.
func (r *run) takeStructured(ans *answer) (phase, error) {
	value := json.RawMessage(strings.TrimSpace(ans.joinText()))
	_, err := r.out.tool.Call(r.ctx, tools.NewCall(tools.CallOptions{
		Scope: r.in.Scope, Name: r.out.name, Args: value, State: r.state,
	}))
	if err == nil {
		if r.value, err = r.out.tool.Validate(value); err != nil {
			return nil, outputMismatch(err)
		}
		return r.commitTurn(ans.buildMessage(), nil, OutcomeComplete)
	}
	why := explainError(err, "it could not be checked.").Blocks[0].Text
	r.callErr = fmt.Errorf("agent: typed answer: %w", err)
	why = rejection + strings.TrimSuffix(why, ".") + ". Give the whole answer again, as JSON of the requested form."
	r.failing++
	return r.askAgain(ans.buildMessage(), why)
}

// askAgain adds an answer that does not end the run to the history, and requests another.
func (r *run) askAgain(answer Message, request string) (phase, error) {
	ended := r.addTurn(answer, nil)
	r.prompt = &Message{Role: RoleUser, Parts: []Part{{Text: request}}}
	r.addMessage(*r.prompt)
	if err := r.emit(StepFinished{r.answers}); err != nil {
		return nil, err
	}
	return askPhase{}, r.emitCheckpoint(r.newCheckpoint(nil), ended)
}

// askForOutput adds a text without the typed answer to the history, and requests the answer.
func (r *run) askForOutput(answer Message) (phase, error) {
	r.failing++
	r.callErr = fmt.Errorf("agent: typed answer: the model answered with text instead of a call of %s", r.out.name)
	return r.askAgain(answer, outputRequest+r.out.name+".")
}

// checkOutput returns an error unless the answer in a checkpoint has the requested type.
func (r *run) checkOutput() error {
	if r.out == nil {
		return nil
	}
	if r.value == nil {
		return outputMismatch(errors.New("agent: resume: the run does not have a typed answer"))
	}
	if _, err := r.out.tool.Call(r.ctx, tools.NewCall(tools.CallOptions{Scope: r.in.Scope, Args: r.value})); err != nil {
		return outputMismatch(fmt.Errorf("agent: resume: %w", err))
	}
	return nil
}

// endWithText returns the phase after an answer without calls, which ends the run unless it was paused or a typed
// answer is missing.
func (r *run) endWithText(ans *answer) (phase, error) {
	switch {
	case r.reason == StopPauseTurn && !r.isStructured(): // takeStructured checks whether the answer is complete
		return r.askAgain(ans.buildMessage(), continueRequest)
	case r.out == nil:
		return r.commitTurn(ans.buildMessage(), nil, OutcomeComplete)
	case r.isStructured():
		return r.takeStructured(ans)
	}
	return r.askForOutput(ans.buildMessage())
}

// commitTurn adds a complete turn to the history, yields its checkpoint and returns the next phase: askPhase unless
// stop is set.
func (r *run) commitTurn(answer Message, results *Message, stop Outcome) (phase, error) {
	ended := r.addTurn(answer, results)
	c := r.newCheckpoint(nil)
	if stop == OutcomeComplete {
		c.at.Complete, c.at.Output, c.at.StopReason = true, r.value, r.reason
	}
	if err := r.emit(StepFinished{r.answers}); err != nil {
		return nil, err
	}
	if err := r.emitCheckpoint(c, ended); err != nil {
		return nil, err
	}
	if stop == "" {
		return askPhase{}, nil
	}
	return finished{outcome: stop}, nil
}
