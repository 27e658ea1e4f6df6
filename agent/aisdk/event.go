package aisdk

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/carrel-go/carrel/agent/internal/runlog"
)

// translateEvent writes an event within a step.
func (t *translator) translateEvent(e *runlog.Event) error {
	switch e.Type {
	case runlog.StepFinished:
		return t.finishStep()
	case runlog.TextDelta:
		return t.writeDelta(textPart, e.Delta)
	case runlog.ReasoningDelta:
		return t.writeDelta(reasoningPart, e.Delta)
	case runlog.Citation:
		return t.putChunks(t.newCitation(e))
	case runlog.Usage:
		t.addUsage(e)
	case runlog.ToolCall:
		return t.writeCall(e.ID, e.Name, e.Input)
	case runlog.ToolProgress:
		return t.writeProgress(e)
	case runlog.ToolResult:
		return t.writeResult(e)
	case runlog.ApprovalRequested:
		return t.writeRequest(e)
	case runlog.ApprovalDecided:
		return t.writeDecision(e)
	case runlog.Partial:
		return t.writeData(chunk{Type: "data-partial", ID: "partial-" + strconv.Itoa(t.step), Data: encodeValue(e.Value)})
	case runlog.Custom:
		return t.writeData(chunk{Type: "data-" + e.Name, Data: encodeValue(e.Value)})
	}
	return nil
}

// writeDelta continues the open part of that kind, or begins one.
func (t *translator) writeDelta(kind, delta string) error {
	if delta == "" {
		return nil
	}
	if t.openKind != kind {
		if err := t.closePart(); err != nil {
			return err
		}
		t.parts++
		t.openKind, t.openID = kind, kind+"-"+strconv.Itoa(t.parts)
		if err := t.putChunks(chunk{Type: kind + "-start", ID: t.openID}); err != nil {
			return err
		}
	}
	return t.putChunks(chunk{Type: kind + "-delta", ID: t.openID, Delta: delta})
}

// closePart ends the open part.
func (t *translator) closePart() error {
	if t.openKind == "" {
		return nil
	}
	c := chunk{Type: t.openKind + "-end", ID: t.openID}
	t.openKind, t.openID = "", ""
	return t.putChunks(c)
}

// finishStep ends the step. Its finish-step is sent later, so that the step is open if it is retracted.
func (t *translator) finishStep() error {
	if err := t.closePart(); err != nil {
		return err
	}
	t.finishing = true
	return t.putMetadata()
}

// putMetadata writes the usage so far, if it is known.
func (t *translator) putMetadata() error {
	m := t.metadata()
	if m == nil {
		return nil
	}
	return t.putChunks(chunk{Type: "message-metadata", MessageMetadata: m})
}

// newCitation returns the source of the text before it. The text continues.
func (t *translator) newCitation(e *runlog.Event) chunk {
	t.parts++
	c := chunk{
		Type: "source-document", SourceID: "source-" + strconv.Itoa(t.parts), Title: e.Title,
		ProviderMetadata: &providerMetadata{citationDetails{e.Text, e.Quotes, e.Location}},
	}
	if c.Title == "" {
		c.Title = e.Source
	}
	for _, url := range []string{e.Location.URL, e.Source} {
		if strings.HasPrefix(url, "https://") || strings.HasPrefix(url, "http://") {
			c.Type, c.URL = "source-url", url
			return c
		}
	}
	if c.Title == "" {
		c.Title = "Document " + strconv.Itoa(e.Location.Index+1)
	}
	c.MediaType = "application/octet-stream" // the service does not say
	return c
}

func (t *translator) writeData(c chunk) error {
	if err := t.closePart(); err != nil {
		return err
	}
	return t.putChunks(c)
}

// writeCall writes a call unless the client knows it.
func (t *translator) writeCall(id, name string, input json.RawMessage) error {
	if _, ok := t.calls[id]; ok {
		return nil
	}
	if err := t.closePart(); err != nil {
		return err
	}
	t.calls[id] = callState{}
	return t.putChunks(chunk{Type: "tool-input-available", ToolCallID: id, ToolName: name, Input: encodeValue(input)})
}

func (t *translator) writeProgress(e *runlog.Event) error {
	if _, ok := t.calls[e.ID]; !ok {
		return nil
	}
	return t.putChunks(chunk{
		Type: "tool-output-available", ToolCallID: e.ID, Output: encodeValue(e.Value), Preliminary: true,
	})
}

// writeResult writes the end of a call.
func (t *translator) writeResult(e *runlog.Event) error {
	if err := t.writeCall(e.ID, e.Name, nil); err != nil {
		return err
	}
	call := t.calls[e.ID]
	call.hasEnded = true
	t.calls[e.ID] = call
	switch {
	case call.declined:
		return t.putChunks(chunk{Type: "tool-output-denied", ToolCallID: e.ID})
	case e.IsError:
		text, err := errorText(e)
		if err != nil {
			return err
		}
		return t.putChunks(chunk{Type: "tool-output-error", ToolCallID: e.ID, ErrorText: text})
	}
	output, err := encodeOutput(e)
	if err != nil {
		return err
	}
	return t.putChunks(chunk{Type: "tool-output-available", ToolCallID: e.ID, Output: output})
}

func (t *translator) writeRequest(e *runlog.Event) error {
	if err := t.writeCall(e.ID, e.Tool, e.Input); err != nil {
		return err
	}
	if e.Approval == "" {
		return nil
	}
	t.approvals[e.Approval] = e.ID
	return t.putChunks(chunk{Type: "tool-approval-request", ToolCallID: e.ID, ApprovalID: e.Approval, Reason: e.Reason})
}

func (t *translator) writeDecision(e *runlog.Event) error {
	id, ok := t.approvals[e.Approval]
	if !ok {
		return nil
	}
	call := t.calls[id]
	call.declined = !e.Approved
	t.calls[id] = call
	return t.putChunks(chunk{
		Type: "tool-approval-response", ApprovalID: e.Approval, Approved: &e.Approved, Reason: e.Reason,
	})
}
