package agent

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/tools"
)

// begin checks the input and lays out what the model is told first.
func (r *run) begin() *RunError {
	refuse := func(msg string, err error) *RunError {
		return &RunError{Code: InvalidCall, Message: msg, Err: err}
	}
	history := History{Turns: repairTurns(r.in.History.Turns)}
	r.turns = history.Turns
	if c := r.in.Resume; c != nil {
		r.turns = c.trimHistory(r.turns, encoder{scopes: r.in.reach().scopes()})
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
		return refuse("The run may not read this shared data.", err)
	}
	if err := history.check(); err != nil {
		return refuse("The conversation so far is damaged.", fmt.Errorf("agent: history: %w", err))
	}
	r.ids, r.findings = map[string]bool{}, map[*tools.Media]finding{}
	for _, t := range r.turns {
		for u := range t.uses() {
			r.ids[u.ID] = true
		}
	}
	r.tell()
	if failed := r.open(refuse); failed != nil {
		return failed
	}
	for _, m := range r.said {
		if err := r.agent.checkHistory(r.ctx, r.in.reach(), m.Parts); err != nil {
			return refuse("The conversation names a file that is not there.", err)
		}
	}
	if r.prompt != nil {
		if err := r.agent.checkRefs(r.ctx, r.in.reach(), r.prompt.Parts); err != nil {
			return refuse("The message names a file that is not there.", err)
		}
	}
	if r.last == nil {
		r.keep(nil)
	}
	return nil
}

// open adds what this run begins with: the prompt, or what a checkpoint holds.
func (r *run) open(refuse func(string, error) *RunError) *RunError {
	blank := strings.TrimSpace(r.in.Prompt) == ""
	switch {
	case !utf8.ValidString(r.in.Run): // a checkpoint's JSON would name another run
		return refuse("The run has no valid id.", nil)
	case !utf8.ValidString(r.in.Prompt):
		return refuse("The message is not valid text.", nil)
	case r.in.Resume != nil && (!blank || len(r.in.Media) > 0):
		return refuse("A run that is resumed takes no new message.", nil)
	case r.in.Resume != nil:
		if err := r.restore(r.in.Resume); err != nil {
			return refuse("The run cannot be resumed from here.", fmt.Errorf("agent: resume: %w", err))
		}
		if r.resumed != nil {
			if err := r.agent.checkRefs(r.ctx, r.in.reach(), r.resumed.results().Parts); err != nil {
				return refuse("The conversation names a file that is not there.", err)
			}
		}
	case !blank || len(r.in.Media) > 0:
		prompt := &Message{Role: User}
		for i, m := range r.in.Media {
			p, err := mediaPart(m)
			if err != nil {
				return refuse("The message has a file that no model can read.", fmt.Errorf("agent: media %d: %w", i, err))
			}
			prompt.Parts = append(prompt.Parts, p)
		}
		if !blank {
			prompt.Parts = append(prompt.Parts, Part{Text: r.in.Prompt})
		}
		r.prompt = prompt
		r.say(*prompt)
		return nil
	}
	if n := len(r.said); !r.over && r.resumed == nil && (n == 0 || r.said[n-1].Role != User) {
		return refuse("The message is empty.", nil)
	}
	return nil
}

// tell sets what the model is told to the turns and the prompt.
func (r *run) tell() {
	r.said = nil
	for _, t := range r.turns {
		for _, m := range t.Messages {
			r.say(m)
		}
	}
	if r.prompt != nil {
		r.say(*r.prompt)
	}
}

// say adds m to what the model is told. Results and the prompt that follows them become one message, so that roles
// alternate.
func (r *run) say(m Message) { r.said = join(r.said, m) }
