package bedrocktest

import (
	"errors"
	"strings"

	"github.com/carrel-go/carrel/agent"
)

// errBreach is returned for a part that differs from its deltas.
var errBreach = errors.New("bedrocktest: the model contradicts itself")

// deltaWriter writes a model's deltas as the events of one answer. A part whose content came in deltas only closes its
// block.
type deltaWriter struct {
	*messageWriter
	thinking int                     // index of the open reasoning, or none
	thought  strings.Builder         // its text so far
	calls    map[string]*pendingCall // open calls that have deltas
}

func newDeltaWriter(m *messageWriter) *deltaWriter {
	return &deltaWriter{messageWriter: m, thinking: none, calls: make(map[string]*pendingCall)}
}

// pendingCall is a call that arrives in deltas.
type pendingCall struct {
	index int
	name  string
	sent  strings.Builder
}

func (s *deltaWriter) writeDelta(d agent.Delta) error {
	switch d := d.(type) {
	case agent.TextDelta:
		return s.writeText(d.Text)
	case agent.CitationPart:
		return s.writeCitation(d.Citation)
	case agent.ReasoningDelta:
		return s.writeThought("text", d.Text)
	case agent.ReasoningPart:
		return s.writeReasoningPart(d.Reasoning)
	case agent.UseDelta:
		return s.writeCallDelta(d)
	case agent.UsePart:
		return s.writeCall(d.ToolUse)
	}
	return nil
}

// writeThought continues the reasoning, or begins it.
func (s *deltaWriter) writeThought(member, text string) (err error) {
	if s.thinking == none {
		s.thought.Reset()
		if s.thinking, err = s.openBeside(); err != nil {
			return err
		}
	}
	if member == "text" {
		s.thought.WriteString(text)
	}
	return s.writeReasoningAt(s.thinking, member, text)
}

func (s *deltaWriter) writeReasoningPart(r agent.Reasoning) error {
	said := ""
	if s.thinking != none {
		said = s.thought.String()
	}
	rest, ok := strings.CutPrefix(r.Text, said)
	switch {
	case !ok, len(r.Redacted) > 0 && s.thinking != none:
		return errBreach
	case len(r.Redacted) > 0:
		if err := s.writeRedacted(r.Redacted); err != nil {
			return err
		}
		return s.closeBlock()
	}
	if rest != "" {
		if err := s.writeThought("text", rest); err != nil {
			return err
		}
	}
	if r.Signature != "" {
		if err := s.writeThought("signature", r.Signature); err != nil {
			return err
		}
	}
	if s.thinking == none { // there were no deltas
		return nil
	}
	index := s.thinking
	s.thinking = none
	return s.stopBlock(index)
}

func (s *deltaWriter) writeCallDelta(d agent.UseDelta) error {
	r := s.calls[d.ID]
	if r == nil {
		index, err := s.startCall(d.ID, d.Name)
		if err != nil {
			return err
		}
		r = &pendingCall{index: index, name: d.Name}
		s.calls[d.ID] = r
	}
	if r.name != d.Name {
		return errBreach
	}
	r.sent.WriteString(d.Input)
	return s.writeCallInput(r.index, d.Input)
}

// writeCall ends a call that came in deltas, or writes a complete one, which stays open until the next block begins, as
// the service's do.
func (s *deltaWriter) writeCall(u agent.ToolUse) error {
	r := s.calls[u.ID]
	if r == nil {
		if err := s.startTool(u.ID, u.Name); err != nil || len(u.Input) == 0 {
			return err
		}
		return s.writeToolInput(string(u.Input))
	}
	delete(s.calls, u.ID)
	rest, ok := strings.CutPrefix(string(u.Input), r.sent.String())
	if !ok || r.name != u.Name {
		return errBreach
	}
	if rest != "" {
		if err := s.writeCallInput(r.index, rest); err != nil {
			return err
		}
	}
	return s.stopBlock(r.index)
}

// checkComplete returns an error if a call or reasoning has begun but is incomplete.
func (s *deltaWriter) checkComplete() error {
	if len(s.calls) > 0 || s.thinking != none {
		return errBreach
	}
	return nil
}
