package bedrocktest

import (
	"errors"
	"strings"

	"github.com/carrel-go/carrel/agent"
)

// errContradiction is returned for a part that does not begin with its deltas.
var errContradiction = errors.New("bedrocktest: the model contradicts itself")

// deltaWriter writes a model's deltas as the events of one answer. A part whose content came in deltas only closes its
// block.
type deltaWriter struct {
	*messageWriter
	thinking int                     // index of the open reasoning, or noBlock
	thought  strings.Builder         // its text so far
	calls    map[string]*pendingCall // open calls that have deltas
}

func newDeltaWriter(m *messageWriter) *deltaWriter {
	return &deltaWriter{messageWriter: m, thinking: noBlock, calls: make(map[string]*pendingCall)}
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
		s.writeText(textBlock, d.Text)
	case agent.CitationPart:
		s.writeCitation(d.Citation)
	case agent.ReasoningDelta:
		s.continueReasoning("text", d.Text)
		s.thought.WriteString(d.Text)
	case agent.ReasoningPart:
		return s.writeReasoningPart(d.Reasoning)
	case agent.UseDelta:
		return s.writeCallDelta(d)
	case agent.UsePart:
		return s.writeCall(d.ToolUse)
	}
	return nil
}

// continueReasoning continues the reasoning, or begins it.
func (s *deltaWriter) continueReasoning(member, text string) {
	if s.thinking == noBlock {
		s.thought.Reset()
		s.thinking = s.addBlock()
	}
	s.writeReasoning(s.thinking, member, text)
}

func (s *deltaWriter) writeReasoningPart(r agent.Reasoning) error {
	sent := ""
	if s.thinking != noBlock {
		sent = s.thought.String()
	}
	rest, ok := strings.CutPrefix(r.Text, sent)
	switch {
	case !ok, len(r.Redacted) > 0 && s.thinking != noBlock:
		return errContradiction
	case len(r.Redacted) > 0:
		s.writeRedacted(r.Redacted)
		s.closeBlock()
		return nil
	}
	if rest != "" {
		s.continueReasoning("text", rest)
	}
	if r.Signature != "" {
		s.continueReasoning("signature", r.Signature)
	}
	if s.thinking != noBlock { // otherwise the part is empty
		s.stopBlock(s.thinking)
		s.thinking = noBlock
	}
	return nil
}

func (s *deltaWriter) writeCallDelta(d agent.UseDelta) error {
	c := s.calls[d.ID]
	if c == nil {
		c = &pendingCall{index: s.startCall(d.ID, d.Name), name: d.Name}
		s.calls[d.ID] = c
	}
	if c.name != d.Name {
		return errContradiction
	}
	c.sent.WriteString(d.Input)
	s.writeCallInput(c.index, d.Input)
	return nil
}

// writeCall ends a call that came in deltas, or writes a complete one, which stays open until the next block begins, as
// the service's do.
func (s *deltaWriter) writeCall(u agent.ToolUse) error {
	c := s.calls[u.ID]
	if c == nil {
		s.startTool(u.ID, u.Name)
		if len(u.Input) > 0 {
			s.writeCallInput(s.open, string(u.Input))
		}
		return nil
	}
	delete(s.calls, u.ID)
	rest, ok := strings.CutPrefix(string(u.Input), c.sent.String())
	if !ok || c.name != u.Name {
		return errContradiction
	}
	if rest != "" {
		s.writeCallInput(c.index, rest)
	}
	s.stopBlock(c.index)
	return nil
}

// isComplete reports whether all calls and reasoning that have begun are complete.
func (s *deltaWriter) isComplete() bool { return len(s.calls) == 0 && s.thinking == noBlock }
