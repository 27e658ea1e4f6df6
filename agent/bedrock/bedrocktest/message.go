package bedrocktest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/carrel-go/carrel/agent"
)

// messageWriter writes the events of one answer in order. Like the service, it does not send a contentBlockStart for
// text and reasoning, and leaves a block open until the next one begins or the message stops. Calls can be interleaved,
// see startCall.
type messageWriter struct {
	emit func(event string, payload []byte) error
	next int // index of the next block
	open int // index of the open block, or none
	kind kind
}

// kind is the content of the open block.
type kind int

const (
	aText  kind = iota
	aCited      // text
	aThought
	aCall
)

const none = -1

// newMessage returns a writer whose first block has the index first.
func newMessage(emit func(string, []byte) error, first int) *messageWriter {
	return &messageWriter{emit: emit, next: first, open: none}
}

// startMessage writes messageStart.
func startMessage(e *eventWriter) (*messageWriter, error) {
	return newMessage(e.sendEvent, 0), e.sendEvent("messageStart", []byte(`{"role":"assistant"}`))
}

// writeText continues the open text block, or begins one.
func (m *messageWriter) writeText(s string) error {
	if err := m.openBlock(aText); err != nil {
		return err
	}
	return m.emit("contentBlockDelta", deltaPayload(m.open, `"text":`, s, ``))
}

// writeReasoning continues the open block of reasoning, or begins one. The member is text or signature.
func (m *messageWriter) writeReasoning(member, s string) error {
	if err := m.openBlock(aThought); err != nil {
		return err
	}
	return m.writeReasoningAt(m.open, member, s)
}

// writeReasoningAt continues the reasoning of that index.
func (m *messageWriter) writeReasoningAt(index int, member, s string) error {
	return m.emit("contentBlockDelta", deltaPayload(index, `"reasoningContent":{"`+member+`":`, s, `}`))
}

// openBeside returns the index of a block that stays open until stopBlock, beside the blocks that follow.
func (m *messageWriter) openBeside() (index int, err error) {
	if err := m.closeBlock(); err != nil {
		return none, err
	}
	m.next++
	return m.next - 1, nil
}

// writeRedacted writes a complete block of encrypted reasoning.
func (m *messageWriter) writeRedacted(data []byte) error {
	if err := m.closeBlock(); err != nil {
		return err
	}
	return m.writeReasoning("redactedContent", base64.StdEncoding.EncodeToString(data))
}

// openBlock ensures that a block of this kind is open.
func (m *messageWriter) openBlock(k kind) error {
	if m.open != none && m.kind == k {
		return nil
	}
	if err := m.closeBlock(); err != nil {
		return err
	}
	m.open, m.kind = m.next, k
	m.next++
	return nil
}

// startTool begins a block for one call.
func (m *messageWriter) startTool(id, name string) error {
	index, err := m.startCall(id, name)
	m.open, m.kind = index, aCall
	return err
}

// writeToolInput continues the open call with a fragment of its input.
func (m *messageWriter) writeToolInput(fragment string) error {
	return m.writeCallInput(m.open, fragment)
}

// startCall begins a block for one call beside the blocks that follow.
func (m *messageWriter) startCall(id, name string) (index int, err error) {
	if index, err = m.openBeside(); err != nil {
		return none, err
	}
	b := fmt.Appendf(nil, `{"contentBlockIndex":%d,"start":{"toolUse":{"toolUseId":`, index)
	b = append(appendQuoted(b, id), `,"name":`...)
	b = appendQuoted(b, name)
	return index, m.emit("contentBlockStart", append(b, `}}}`...))
}

// writeCallInput continues the call of that index.
func (m *messageWriter) writeCallInput(index int, fragment string) error {
	return m.emit("contentBlockDelta", deltaPayload(index, `"toolUse":{"input":`, fragment, `}`))
}

// stopBlock ends the block of that index.
func (m *messageWriter) stopBlock(index int) error {
	return m.emit("contentBlockStop", append(beginBlock(index), '}'))
}

// deltaPayload returns the payload of a contentBlockDelta.
func deltaPayload(index int, before, s, after string) []byte {
	b := append(beginBlock(index), `,"delta":{`...)
	b = appendQuoted(append(b, before...), s)
	return append(append(b, after...), `}}`...)
}

// beginBlock returns the beginning of a payload, which names the block.
func beginBlock(index int) []byte {
	return strconv.AppendInt([]byte(`{"contentBlockIndex":`), int64(index), 10)
}

// closeBlock ends the open block, if there is one.
func (m *messageWriter) closeBlock() error {
	if m.open == none {
		return nil
	}
	index := m.open
	m.open = none
	return m.stopBlock(index)
}

// stopMessage ends the open block and the message.
func (m *messageWriter) stopMessage(reason string) error {
	if err := m.closeBlock(); err != nil {
		return err
	}
	b := appendQuoted([]byte(`{"stopReason":`), reason)
	return m.emit("messageStop", append(b, '}'))
}

// writeMetadata writes the stream's last event.
func (m *messageWriter) writeMetadata(u agent.Usage) error {
	b, err := json.Marshal(struct {
		Usage   wireUsage   `json:"usage"`
		Metrics wireMetrics `json:"metrics"`
	}{Usage: newUsage(u)})
	if err != nil {
		return err
	}
	return m.emit("metadata", b)
}

func newUsage(u agent.Usage) wireUsage {
	return wireUsage{
		InputTokens: u.Input, OutputTokens: u.Output, TotalTokens: u.Input + u.Output,
		CacheReadInputTokens: u.CacheRead, CacheWriteInputTokens: u.CacheWrite,
	}
}

// appendQuoted appends s as a JSON string. Unlike encoding/json it keeps incomplete runes unchanged, so that a text can
// be split anywhere.
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
