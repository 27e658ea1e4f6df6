package agui

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// wireEvent is the union of the events that a client reads.
type wireEvent struct {
	Type, MessageID, Role, Delta, ToolCallID, ToolCallName, ParentMessageID, StepName, ThreadID, RunID string
	Content                                                                                            json.RawMessage
	Messages                                                                                           []wireMessage
	Outcome                                                                                            struct {
		Type       string
		Interrupts []struct{ ID, Reason, Message, ToolCallID string }
	}
}

type wireMessage struct {
	ID, Role, ToolCallID string
	Content              json.RawMessage
	ToolCalls            []struct {
		ID       string
		Function struct{ Name, Arguments string }
	}
}

// shown is a message that a client shows.
type shown struct {
	id, role, text string
	calls          []string // "id name arguments"
}

// client checks a stream by the rules of @ag-ui/client 1.0.0 and of ag-ui-validate, and applies it to its messages.
type client struct {
	q        *request
	messages []shown
	open     string // kind and id of the open message
	span     string // of reasoning
	used     map[string]bool
	steps    map[string]bool
	calls    map[string]string // id to its state
	ended    string            // the type of the last event
	end      wireEvent
	begun    bool
}

func newClient(q *request) *client {
	c := &client{q: q, used: map[string]bool{}, steps: map[string]bool{}, calls: map[string]string{}}
	for _, m := range q.messages {
		var w wireMessage
		_ = json.Unmarshal(m.raw, &w)
		c.messages = append(c.messages, show(w))
	}
	return c
}

func show(w wireMessage) shown {
	s := shown{id: w.ID, role: w.Role}
	_ = json.Unmarshal(w.Content, &s.text)
	for _, call := range w.ToolCalls {
		s.calls = append(s.calls, call.ID+" "+call.Function.Name+" "+call.Function.Arguments)
	}
	return s
}

func (c *client) find(id string) *shown {
	for i := range c.messages {
		if c.messages[i].id == id {
			return &c.messages[i]
		}
	}
	return nil
}

func (c *client) take(frame string) error {
	var e wireEvent
	if err := json.Unmarshal([]byte(frame), &e); err != nil {
		return err
	}
	switch {
	case c.ended != "":
		return fmt.Errorf("%s after %s", e.Type, c.ended)
	case c.begun == (e.Type == typeRunStarted):
		return fmt.Errorf("%s, begun: %v", e.Type, c.begun)
	}
	switch e.Type {
	case typeRunStarted:
		c.begun = true
		return c.checkIDs(e)
	case typeStepStarted, typeStepFinished:
		if c.steps[e.StepName] == (e.Type == typeStepStarted) {
			return fmt.Errorf("%s of %q", e.Type, e.StepName)
		}
		c.steps[e.StepName] = e.Type == typeStepStarted
	case typeReasoningStart:
		if c.span != "" {
			return fmt.Errorf("%s within %s", e.Type, c.span)
		}
		c.span = e.MessageID
	case typeReasoningEnd:
		if c.span != e.MessageID || c.open != "" {
			return fmt.Errorf("%s of %q within %q %q", e.Type, e.MessageID, c.span, c.open)
		}
		c.span = ""
	case typeTextStart, typeReasoningOpen:
		return c.start(e)
	case typeTextContent, typeReasoningContent, typeTextEnd, typeReasoningClose:
		return c.continueMessage(e)
	case typeToolStart, typeToolArgs, typeToolEnd, typeToolResult:
		return c.takeCall(e)
	case typeSnapshot:
		if c.open != "" || c.span != "" {
			return fmt.Errorf("a snapshot while %s is open", c.open)
		}
		c.restore(e.Messages)
	case typeRunFinished:
		c.ended, c.end = e.Type, e
		return c.finish(e)
	case typeRunError:
		c.ended, c.end = e.Type, e
		return c.checkClosed()
	case typeCustom:
	default:
		return fmt.Errorf("unknown type %s", e.Type)
	}
	return nil
}

func (c *client) checkIDs(e wireEvent) error {
	if e.ThreadID != c.q.thread || e.RunID != c.q.run {
		return fmt.Errorf("%s of the run %q of the thread %q", e.Type, e.RunID, e.ThreadID)
	}
	return nil
}

func (c *client) start(e wireEvent) error {
	if c.open != "" || c.used[e.MessageID] || (e.Type == typeReasoningOpen) != (c.span == e.MessageID) {
		return fmt.Errorf("%s of %q within %q %q", e.Type, e.MessageID, c.open, c.span)
	}
	c.open, c.used[e.MessageID] = e.MessageID, true
	if c.find(e.MessageID) == nil {
		c.messages = append(c.messages, shown{id: e.MessageID, role: e.Role})
	}
	return nil
}

func (c *client) continueMessage(e wireEvent) error {
	if c.open != e.MessageID {
		return fmt.Errorf("%s of %q within %q", e.Type, e.MessageID, c.open)
	}
	if e.Type == typeTextEnd || e.Type == typeReasoningClose {
		c.open = ""
		return nil
	}
	if e.Delta == "" {
		return fmt.Errorf("%s is empty", e.Type)
	}
	c.find(e.MessageID).text += e.Delta
	return nil
}

func (c *client) takeCall(e wireEvent) error {
	state := c.calls[e.ToolCallID]
	if e.Type == typeToolResult && (state == typeToolEnd || state == typeToolResult) {
		var text string
		if err := json.Unmarshal(e.Content, &text); err != nil {
			return err
		}
		c.messages = append(c.messages, shown{id: e.MessageID, role: roleTool, text: text})
		c.calls[e.ToolCallID] = e.Type
		return nil
	}
	before := map[string]string{typeToolStart: "", typeToolArgs: typeToolStart, typeToolEnd: typeToolArgs}
	if want, ok := before[e.Type]; !ok || state != want || c.open != "" {
		return fmt.Errorf("%s of %q, which was in the state %q", e.Type, e.ToolCallID, state)
	}
	c.calls[e.ToolCallID] = e.Type
	switch e.Type {
	case typeToolStart:
		if c.find(e.ParentMessageID) == nil {
			c.messages = append(c.messages, shown{id: e.ParentMessageID, role: roleAssistant})
		}
		m := c.find(e.ParentMessageID)
		m.calls = append(m.calls, e.ToolCallID+" "+e.ToolCallName+" ")
	case typeToolArgs:
		if !json.Valid([]byte(e.Delta)) {
			return fmt.Errorf("arguments %q", e.Delta)
		}
		for i := range c.messages {
			for j, call := range c.messages[i].calls {
				if strings.HasPrefix(call, e.ToolCallID+" ") {
					c.messages[i].calls[j] += e.Delta
				}
			}
		}
	}
	return nil
}

// restore applies a snapshot: reasoning that it does not have stays, unless it has other reasoning.
func (c *client) restore(all []wireMessage) {
	var after []shown
	hasReasoning := slices.ContainsFunc(all, func(m wireMessage) bool { return m.Role == roleReasoning })
	for _, m := range c.messages {
		i := slices.IndexFunc(all, func(w wireMessage) bool { return w.ID == m.id })
		switch {
		case i >= 0:
			after = append(after, show(all[i]))
		case m.role == roleReasoning && !hasReasoning:
			after = append(after, m)
		}
	}
	for _, w := range all {
		if !slices.ContainsFunc(after, func(m shown) bool { return m.id == w.ID }) {
			after = append(after, show(w))
		}
		for _, call := range w.ToolCalls {
			if c.calls[call.ID] == "" {
				c.calls[call.ID] = typeToolEnd
			}
		}
	}
	c.messages = after
}

func (c *client) checkClosed() error {
	for name, isOpen := range c.steps {
		if isOpen {
			return fmt.Errorf("the step %q is open", name)
		}
	}
	if c.open != "" || c.span != "" {
		return fmt.Errorf("the message %s %s is open", c.open, c.span)
	}
	return nil
}

func (c *client) finish(e wireEvent) error {
	for id, state := range c.calls {
		if state == typeToolStart || state == typeToolArgs {
			return fmt.Errorf("the call %q is open", id)
		}
	}
	if (e.Outcome.Type == outcomeInterrupt) != (len(e.Outcome.Interrupts) > 0) {
		return fmt.Errorf("outcome %+v", e.Outcome)
	}
	return errors.Join(c.checkIDs(e), c.checkClosed())
}

// text returns what a role has said, message after message.
func (c *client) text(role string) string {
	var b strings.Builder
	for _, m := range c.messages {
		if m.role == role {
			b.WriteString(m.text)
		}
	}
	return b.String()
}

// callsShown returns the calls that are shown, in order.
func (c *client) callsShown() (all []string) {
	for _, m := range c.messages {
		all = append(all, m.calls...)
	}
	return all
}
