package bedrocktest

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/carrel-go/carrel/agent"
)

// message writes the events of one answer in their order. Like the service it sends no contentBlockStart for text,
// and it leaves a block open until the next one begins or the message stops.
type message struct {
	e     *eventWriter
	index int  // of the open block, or of the next one
	open  bool // a block is open
	text  bool // the open block is text
}

// startMessage writes messageStart.
func startMessage(e *eventWriter) (*message, error) {
	return &message{e: e}, e.event("messageStart", []byte(`{"role":"assistant"}`))
}

// textDelta continues the open text block, or begins one.
func (m *message) textDelta(s string) error {
	if m.open && !m.text {
		if err := m.close(); err != nil {
			return err
		}
	}
	m.open, m.text = true, true
	return m.e.event("contentBlockDelta", m.delta(`"text":`, s, ``))
}

// toolStart begins a block for one call.
func (m *message) toolStart(id, name string) error {
	if err := m.close(); err != nil {
		return err
	}
	m.open, m.text = true, false
	b := fmt.Appendf(nil, `{"contentBlockIndex":%d,"start":{"toolUse":{"toolUseId":`, m.index)
	b = append(appendQuoted(b, id), `,"name":`...)
	b = append(appendQuoted(b, name), `}}}`...)
	return m.e.event("contentBlockStart", b)
}

// toolInput continues the open call with a fragment of its input.
func (m *message) toolInput(fragment string) error {
	return m.e.event("contentBlockDelta", m.delta(`"toolUse":{"input":`, fragment, `}`))
}

// delta is the payload of a contentBlockDelta for the open block.
func (m *message) delta(before, s, after string) []byte {
	b := append(m.block(), `,"delta":{`...)
	b = appendQuoted(append(b, before...), s)
	return append(append(b, after...), `}}`...)
}

// block is a payload's beginning, which names the open block.
func (m *message) block() []byte {
	return strconv.AppendInt([]byte(`{"contentBlockIndex":`), int64(m.index), 10)
}

// close ends the open block, if there is one.
func (m *message) close() error {
	if !m.open {
		return nil
	}
	payload := append(m.block(), '}')
	m.open = false
	m.index++
	return m.e.event("contentBlockStop", payload)
}

// stop ends the open block and the message.
func (m *message) stop(reason string) error {
	if err := m.close(); err != nil {
		return err
	}
	b := appendQuoted([]byte(`{"stopReason":`), reason)
	return m.e.event("messageStop", append(b, '}'))
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
	return m.e.event("metadata", b)
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
