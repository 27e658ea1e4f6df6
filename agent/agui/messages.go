package agui

import (
	"encoding/json"
	"strings"
)

// message is a message that the telling of a run has begun.
type message struct {
	id    string
	role  string
	since string // the log's event with which it began
	step  int    // of the log, or 0
	text  strings.Builder
	ends  []textEnd
	calls []call

	answers string // of the role tool: the id of the call
	content string
	meta    any
}

// textEnd is where the text of a message ends with an event of the log.
type textEnd struct {
	event string
	n     int
}

// call is a tool call of an assistant's message.
type call struct {
	event    string // of the log
	id, name string
	input    string
}

func (m *message) addText(event, delta string) {
	m.text.WriteString(delta)
	m.ends = append(m.ends, textEnd{event, m.text.Len()})
}

// retract drops the text and the calls after an event of the log, and reports whether there were any.
func (m *message) retract(after string) (dropped bool) {
	for len(m.ends) > 0 && m.ends[len(m.ends)-1].event > after {
		m.ends, dropped = m.ends[:len(m.ends)-1], true
	}
	for len(m.calls) > 0 && m.calls[len(m.calls)-1].event > after {
		m.calls, dropped = m.calls[:len(m.calls)-1], true
	}
	if dropped {
		n := 0
		if len(m.ends) > 0 {
			n = m.ends[len(m.ends)-1].n
		}
		kept := m.text.String()[:n]
		m.text.Reset()
		m.text.WriteString(kept)
	}
	return dropped
}

// encode returns the message for a snapshot.
func (m *message) encode() any {
	switch m.role {
	case roleReasoning:
		return reasoningMessage{m.id, m.role, m.text.String()}
	case roleTool:
		return toolMessage{m.id, m.role, m.content, m.answers, m.meta}
	}
	a := assistantMessage{ID: m.id, Role: m.role, Content: m.text.String()}
	for _, c := range m.calls {
		a.Calls = append(a.Calls, messageCall{c.id, "function", callFunction{c.name, c.input}})
	}
	return a
}

// clientMessage is a message of the client's own transcript.
type clientMessage struct {
	id, role string
	calls    []string // ids
	raw      json.RawMessage
}

// transcript arranges the messages of a snapshot: those of the client and those of the run. A result stands behind the
// message of its call, where clients put it.
type transcript struct {
	messages []any
	roles    []string
	owners   map[string]int // of calls, by their ids
	results  map[int][]any  // by their owners
}

func (t *transcript) add(role string, m any, calls ...string) {
	for _, id := range calls {
		t.owners[id] = len(t.messages)
	}
	t.messages, t.roles = append(t.messages, m), append(t.roles, role)
}

func (t *transcript) addResult(call string, m any) {
	owner, ok := t.owners[call]
	if !ok {
		t.add(roleTool, m)
		return
	}
	t.results[owner] = append(t.results[owner], m)
}

// arrange returns the messages in their order.
func (t *transcript) arrange() []any {
	out := make([]any, 0, len(t.messages))
	var results []any // of the last message that has calls
	for i, m := range t.messages {
		if t.roles[i] != roleTool {
			out, results = append(out, results...), nil
		}
		out = append(out, m)
		results = append(results, t.results[i]...)
	}
	return append(out, results...)
}

func newTranscript() *transcript {
	return &transcript{owners: map[string]int{}, results: map[int][]any{}}
}
