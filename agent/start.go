package agent

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/tools"
)

// start opens the input and prepares the run. It returns the first phase. If the input is rejected, the run does not
// have a checkpoint. After another error it can be resumed.
func (r *run) start() (phase, error) {
	first, err := r.openRun()
	if err != nil {
		r.last, r.resumed = nil, nil
		return nil, err
	}
	if r.last == nil {
		r.keepCheckpoint(r.newCheckpoint(nil))
	}
	if err := r.resolveSystem(); err != nil {
		if r.ctx.Err() != nil {
			return finished{outcome: OutcomeCancelled}, nil
		}
		return nil, err
	}
	return first, nil
}

// openRun checks the input, restores the conversation and returns the first phase. The error rejects the input.
func (r *run) openRun() (phase, error) {
	r.turns = r.in.History.Turns
	if c := r.in.Resume; c != nil {
		if n := c.countTurns(r.turns); n < len(r.turns) {
			r.turns, r.interruptedTurn = r.turns[:n], &r.turns[n]
		}
	}
	r.turns = slices.Clip(r.turns) // the first append copies: the input's array may be shared
	r.state = &tools.State{}
	if s := r.in.History.State; s != nil {
		r.state = s.Clone()
	}
	if err := r.in.checkShared(); err != nil {
		if a := r.agent.audit; a != nil {
			a.Refused(r.ctx, scope.Refusal{Scope: r.in.Scope, Op: "agent.Shared", Err: err})
		}
		return nil, inputError("The run may not read this shared data.", err)
	}
	if err := r.in.History.check(); err != nil {
		return nil, inputError("The conversation so far is damaged.", fmt.Errorf("agent: history: %w", err))
	}
	r.callIDs, r.findings = map[string]bool{}, map[*tools.Media]finding{}
	r.accepted = map[*tools.Media]bool{}
	for p := range eachPart(r.turns) {
		if p.Use != nil {
			r.callIDs[p.Use.ID] = true
		}
	}
	r.resetMessages()
	first, err := r.openInput()
	if err != nil {
		return nil, err
	}
	return first, r.checkMessages()
}

func (r *run) resolveSystem() error {
	system, err := r.agent.system(r.ctx, r.in)
	if err == nil && !utf8.ValidString(system) {
		err = errors.New("not valid UTF-8")
	}
	if err != nil {
		return &RunError{Code: CodeInternal, Message: "The run could not be prepared.",
			Err: fmt.Errorf("agent: system prompt: %w", err)}
	}
	r.system = system
	return nil
}

// checkMessages returns an error if the history or the prompt names an object that the run may not read.
func (r *run) checkMessages() error {
	for _, m := range r.messages {
		if err := r.agent.checkHistory(r.ctx, r.in.newReach(), m.Parts); err != nil {
			return inputError("The conversation names a file that is not there.", err)
		}
	}
	if r.prompt != nil {
		if err := r.agent.checkRefs(r.ctx, r.in.newReach(), r.prompt.Parts); err != nil {
			return inputError("The message names a file that is not there.", err)
		}
	}
	return nil
}

// openInput adds the prompt or restores the checkpoint, and returns the first phase.
func (r *run) openInput() (phase, error) {
	hasPrompt := strings.TrimSpace(r.in.Prompt) != "" || len(r.in.Media) > 0
	var first phase = askPhase{}
	switch {
	case !utf8.ValidString(r.in.Run): // a checkpoint's JSON would name another run
		return nil, inputError("The run's id is not valid.", nil)
	case !utf8.ValidString(r.in.Prompt):
		return nil, inputError("The message is not valid text.", nil)
	case r.in.Resume != nil && hasPrompt:
		return nil, inputError("A run that is resumed does not accept a new message.", nil)
	case r.in.Resume != nil:
		var err error
		if first, err = r.restoreFrom(r.in.Resume); err != nil {
			return nil, inputError("The run cannot be resumed from here.", fmt.Errorf("agent: resume: %w", err))
		}
		if p, ok := first.(resumePhase); ok && p.batch != nil {
			if err := r.agent.checkRefs(r.ctx, r.in.newReach(), p.batch.buildResults().Parts); err != nil {
				return nil, inputError("The conversation names a file that is not there.", err)
			}
		}
	case hasPrompt:
		return first, r.addPrompt()
	}
	n := len(r.messages)
	if _, asks := first.(askPhase); asks && (n == 0 || r.messages[n-1].Role != RoleUser) {
		return nil, inputError("The message is empty.", nil)
	}
	return first, nil
}

// addPrompt adds the input's media and prompt.
func (r *run) addPrompt() error {
	prompt := &Message{Role: RoleUser}
	for i, m := range r.in.Media {
		p, err := mediaPart(m)
		if err == nil && !isPlausible(&m) {
			err = fmt.Errorf("the bytes are not %s", m.Format)
		}
		if err != nil {
			return inputError("The message has a file that no model can read.", fmt.Errorf("agent: media %d: %w", i, err))
		}
		prompt.Parts = append(prompt.Parts, p)
	}
	if strings.TrimSpace(r.in.Prompt) != "" {
		prompt.Parts = append(prompt.Parts, Part{Text: r.in.Prompt})
	}
	r.prompt = prompt
	r.addMessage(*prompt)
	return nil
}
