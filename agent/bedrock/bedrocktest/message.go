package bedrocktest

import (
	"encoding/base64"
	"fmt"
	"strconv"

	"github.com/carrel-go/carrel/agent"
)

// messageWriter writes the events of one answer in order. Like the service, it does not send a contentBlockStart for
// text and reasoning, and leaves a block open until the next one begins or the message stops. Calls can be interleaved,
// see startCall.
type messageWriter struct {
	emit func(event string, payload []byte)
	next int // index of the next block
	open int // index of the open block, or noBlock
	kind blockKind
}

type blockKind int

const (
	textBlock  blockKind = iota
	citedBlock           // text
	reasoningBlock
	callBlock
)

const noBlock = -1

// newMessage returns a writer whose first block has the index first.
func newMessage(emit func(string, []byte), first int) *messageWriter {
	return &messageWriter{emit: emit, next: first, open: noBlock}
}

// startMessage writes messageStart.
func startMessage(e *eventWriter) *messageWriter {
	e.sendEvent("messageStart", []byte(`{"role":"assistant"}`))
	return newMessage(e.sendEvent, 0)
}

// writeText continues the open block of this kind of text, or begins one.
func (m *messageWriter) writeText(k blockKind, s string) {
	m.openBlock(k)
	m.emit("contentBlockDelta", deltaPayload(m.open, `"text":`, s, ``))
}

// writeReasoning continues the reasoning of that index. The member is text, signature or redactedContent.
func (m *messageWriter) writeReasoning(index int, member, s string) {
	m.emit("contentBlockDelta", deltaPayload(index, `"reasoningContent":{"`+member+`":`, s, `}`))
}

// addBlock ends the open block and returns the index of a new one. The new block stays open until stopBlock, also while
// other blocks follow.
func (m *messageWriter) addBlock() (index int) {
	m.closeBlock()
	m.next++
	return m.next - 1
}

// writeRedacted writes a complete block of encrypted reasoning.
func (m *messageWriter) writeRedacted(data []byte) {
	m.closeBlock()
	m.openBlock(reasoningBlock)
	m.writeReasoning(m.open, "redactedContent", base64.StdEncoding.EncodeToString(data))
}

// openBlock ensures that a block of this kind is open.
func (m *messageWriter) openBlock(k blockKind) {
	if m.open == noBlock || m.kind != k {
		m.open, m.kind = m.addBlock(), k
	}
}

// startCall begins a block for one call beside the blocks that follow.
func (m *messageWriter) startCall(id, name string) (index int) {
	index = m.addBlock()
	b := fmt.Appendf(nil, `{"contentBlockIndex":%d,"start":{"toolUse":{"toolUseId":`, index)
	b = append(appendQuoted(b, id), `,"name":`...)
	m.emit("contentBlockStart", append(appendQuoted(b, name), `}}}`...))
	return index
}

// startTool begins a block for one call, which stays open until the next block begins.
func (m *messageWriter) startTool(id, name string) {
	m.open, m.kind = m.startCall(id, name), callBlock
}

// writeCallInput continues the call of that index.
func (m *messageWriter) writeCallInput(index int, fragment string) {
	m.emit("contentBlockDelta", deltaPayload(index, `"toolUse":{"input":`, fragment, `}`))
}

func (m *messageWriter) stopBlock(index int) {
	m.emit("contentBlockStop", append(beginBlock(index), '}'))
}

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
func (m *messageWriter) closeBlock() {
	if m.open != noBlock {
		m.stopBlock(m.open)
		m.open = noBlock
	}
}

// stopMessage ends the open block and the message, and writes the metadata, which are the last event.
func (m *messageWriter) stopMessage(reason string, u agent.Usage) {
	m.closeBlock()
	m.emit("messageStop", append(appendQuoted([]byte(`{"stopReason":`), reason), '}'))
	m.emit("metadata", marshal(wireMetadata{Usage: wireUsage{
		InputTokens: u.Input, OutputTokens: u.Output, TotalTokens: u.Input + u.Output,
		CacheReadInputTokens: u.CacheRead, CacheWriteInputTokens: u.CacheWrite,
	}}))
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
