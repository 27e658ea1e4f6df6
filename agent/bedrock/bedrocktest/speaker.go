package bedrocktest

import (
	"errors"
	"strings"

	"github.com/carrel-go/carrel/agent"
)

// errBreach: a part does not hold what its deltas have said.
var errBreach = errors.New("bedrocktest: the model contradicts itself")

// speaker writes a model's deltas as the events of one answer. What came in deltas is not said again by the part that
// closes them.
type speaker struct {
	*message
	thinking int             // index of the reasoning that has deltas and is not closed yet, or none
	thought  strings.Builder // what those have said
	calls    map[string]*run // the calls that have deltas, and are not closed yet
}

func newSpeaker(m *message) *speaker {
	return &speaker{message: m, thinking: none, calls: make(map[string]*run)}
}

// run is a call that arrives in deltas.
type run struct {
	index int
	name  string
	sent  strings.Builder
}

func (s *speaker) say(d agent.Delta) error {
	switch d := d.(type) {
	case agent.TextDelta:
		return s.textDelta(d.Text)
	case agent.CitationPart:
		return s.citation(d.Citation)
	case agent.ReasoningDelta:
		return s.think("text", d.Text)
	case agent.ReasoningPart:
		return s.thoughtPart(d.Reasoning)
	case agent.UseDelta:
		return s.callDelta(d)
	case agent.UsePart:
		return s.call(d.ToolUse)
	}
	return nil
}

// think continues the reasoning, or begins it.
func (s *speaker) think(member, text string) (err error) {
	if s.thinking == none {
		s.thought.Reset()
		if s.thinking, err = s.beside(); err != nil {
			return err
		}
	}
	if member == "text" {
		s.thought.WriteString(text)
	}
	return s.thoughtAt(s.thinking, member, text)
}

func (s *speaker) thoughtPart(r agent.Reasoning) error {
	said := ""
	if s.thinking != none {
		said = s.thought.String()
	}
	rest, ok := strings.CutPrefix(r.Text, said)
	switch {
	case !ok, len(r.Redacted) > 0 && s.thinking != none:
		return errBreach
	case len(r.Redacted) > 0:
		if err := s.redacted(r.Redacted); err != nil {
			return err
		}
		return s.close()
	}
	if rest != "" {
		if err := s.think("text", rest); err != nil {
			return err
		}
	}
	if r.Signature != "" {
		if err := s.think("signature", r.Signature); err != nil {
			return err
		}
	}
	if s.thinking == none { // nothing was said at all
		return nil
	}
	index := s.thinking
	s.thinking = none
	return s.stopBlock(index)
}

func (s *speaker) callDelta(d agent.UseDelta) error {
	r := s.calls[d.ID]
	if r == nil {
		index, err := s.startCall("", d.ID, d.Name)
		if err != nil {
			return err
		}
		r = &run{index: index, name: d.Name}
		s.calls[d.ID] = r
	}
	if r.name != d.Name {
		return errBreach
	}
	r.sent.WriteString(d.Input)
	return s.callInput(r.index, d.Input)
}

// call ends a call that came in deltas, or writes a whole one, which like the service's stays open until the next
// block begins.
func (s *speaker) call(u agent.ToolUse) error {
	r := s.calls[u.ID]
	if r == nil {
		if err := s.toolStart("", u.ID, u.Name); err != nil || len(u.Input) == 0 {
			return err
		}
		return s.toolInput(string(u.Input))
	}
	delete(s.calls, u.ID)
	rest, ok := strings.CutPrefix(string(u.Input), r.sent.String())
	if !ok || r.name != u.Name {
		return errBreach
	}
	if rest != "" {
		if err := s.callInput(r.index, rest); err != nil {
			return err
		}
	}
	return s.stopBlock(r.index)
}

// finish is an error when a call or reasoning has begun and never came whole.
func (s *speaker) finish() error {
	if len(s.calls) > 0 || s.thinking != none {
		return errBreach
	}
	return nil
}
