package bedrocktest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/carrel-go/carrel/agent"
)

// message writes the events of one answer in their order. Like the service it sends no contentBlockStart for text and
// reasoning, and it leaves a block open until the next one begins or the message stops. Calls can be written side by
// side, see [message.startCall].
type message struct {
	emit func(event string, payload []byte) error
	next int // index of the next block
	open int // index of the open block, or none
	kind kind
}

// kind is what the open block holds.
type kind int

const (
	aText  kind = iota
	aCited      // text
	aThought
	aCall
)

const none = -1

// newMessage writes the blocks from the index first on.
func newMessage(emit func(string, []byte) error, first int) *message {
	return &message{emit: emit, next: first, open: none}
}

// startMessage writes messageStart.
func startMessage(e *eventWriter) (*message, error) {
	return newMessage(e.event, 0), e.event("messageStart", []byte(`{"role":"assistant"}`))
}

// textDelta continues the open text block, or begins one.
func (m *message) textDelta(s string) error {
	if err := m.enter(aText); err != nil {
		return err
	}
	return m.emit("contentBlockDelta", delta(m.open, `"text":`, s, ``))
}

// thoughtDelta continues the open block of reasoning, or begins one. The member is text or signature.
func (m *message) thoughtDelta(member, s string) error {
	if err := m.enter(aThought); err != nil {
		return err
	}
	return m.thoughtAt(m.open, member, s)
}

// thoughtAt continues the reasoning of that index.
func (m *message) thoughtAt(index int, member, s string) error {
	return m.emit("contentBlockDelta", delta(index, `"reasoningContent":{"`+member+`":`, s, `}`))
}

// beside gives the index of a block beside whatever comes next: it stays open until stopBlock.
func (m *message) beside() (index int, err error) {
	if err := m.close(); err != nil {
		return none, err
	}
	m.next++
	return m.next - 1, nil
}

// redacted is a whole block of reasoning that the service has encrypted.
func (m *message) redacted(data []byte) error {
	if err := m.close(); err != nil {
		return err
	}
	return m.thoughtDelta("redactedContent", base64.StdEncoding.EncodeToString(data))
}

// enter makes sure that a block of this kind is open.
func (m *message) enter(k kind) error {
	if m.open != none && m.kind == k {
		return nil
	}
	if err := m.close(); err != nil {
		return err
	}
	m.open, m.kind = m.next, k
	m.next++
	return nil
}

// toolStart begins a block for one call.
func (m *message) toolStart(kind, id, name string) error {
	index, err := m.startCall(kind, id, name)
	m.open, m.kind = index, aCall
	return err
}

// toolInput continues the open call with a fragment of its input.
func (m *message) toolInput(fragment string) error { return m.callInput(m.open, fragment) }

// startCall begins a block for one call beside whatever comes next. An empty kind leaves the call's type out.
func (m *message) startCall(kind, id, name string) (index int, err error) {
	if index, err = m.beside(); err != nil {
		return none, err
	}
	b := fmt.Appendf(nil, `{"contentBlockIndex":%d,"start":{"toolUse":{"toolUseId":`, index)
	b = append(appendQuoted(b, id), `,"name":`...)
	b = appendQuoted(b, name)
	if kind != "" {
		b = appendQuoted(append(b, `,"type":`...), kind)
	}
	b = append(b, `}}}`...)
	return index, m.emit("contentBlockStart", b)
}

// callInput continues the call of that index.
func (m *message) callInput(index int, fragment string) error {
	return m.emit("contentBlockDelta", delta(index, `"toolUse":{"input":`, fragment, `}`))
}

// stopBlock ends the block of that index.
func (m *message) stopBlock(index int) error {
	return m.emit("contentBlockStop", append(block(index), '}'))
}

// delta is the payload of a contentBlockDelta.
func delta(index int, before, s, after string) []byte {
	b := append(block(index), `,"delta":{`...)
	b = appendQuoted(append(b, before...), s)
	return append(append(b, after...), `}}`...)
}

// block is a payload's beginning, which names the block.
func block(index int) []byte {
	return strconv.AppendInt([]byte(`{"contentBlockIndex":`), int64(index), 10)
}

// close ends the open block, if there is one.
func (m *message) close() error {
	if m.open == none {
		return nil
	}
	index := m.open
	m.open = none
	return m.stopBlock(index)
}

// stop ends the open block and the message.
func (m *message) stop(reason string) error {
	if err := m.close(); err != nil {
		return err
	}
	b := appendQuoted([]byte(`{"stopReason":`), reason)
	return m.emit("messageStop", append(b, '}'))
}

// metadata writes the stream's last event.
func (m *message) metadata(u agent.Usage) error {
	b, err := json.Marshal(struct {
		Usage   wireUsage   `json:"usage"`
		Metrics wireMetrics `json:"metrics"`
	}{Usage: usage(u)})
	if err != nil {
		return err
	}
	return m.emit("metadata", b)
}

func usage(u agent.Usage) wireUsage {
	return wireUsage{
		InputTokens: u.Input, OutputTokens: u.Output, TotalTokens: u.Input + u.Output,
		CacheReadInputTokens: u.CacheRead, CacheWriteInputTokens: u.CacheWrite,
	}
}

// appendQuoted appends s as a JSON string, byte for byte: unlike encoding/json it keeps half a rune as it is, so
// that a text can be split anywhere.
func appendQuoted(b []byte, s string) []byte {
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < 0x20:
			b = fmt.Appendf(b, `\u%04x`, c)
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}
