package bedrock

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"hash/crc32"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// Sizes of the frame of an event. Source: the AWS event stream encoding.
const (
	preludeSize  = 12 // total length, length of the headers, checksum of both
	checksumSize = 4
)

// deltaDecoder decodes the events that make up nearly all of an answer: the deltas of text, of reasoning and of a
// tool's arguments, in the form in which the service writes them. It leaves all other frames to the SDK's decoder,
// which costs several times as much: other events, other forms of these and damaged ones.
type deltaDecoder struct {
	event     types.ContentBlockDeltaEvent
	index     int32
	text      types.ContentBlockDeltaMemberText
	input     string
	toolUse   types.ContentBlockDeltaMemberToolUse
	thought   types.ReasoningContentBlockDeltaMemberText
	reasoning types.ContentBlockDeltaMemberReasoningContent
}

// take waits for the next frame of r, decodes it and removes it. It returns nil and leaves the frame in r if the frame
// is not such a delta, or if r fails before its end. The event is valid until the next call.
func (d *deltaDecoder) take(r *bufio.Reader) *types.ContentBlockDeltaEvent {
	prelude, err := r.Peek(preludeSize)
	if err != nil {
		return nil
	}
	size := binary.BigEndian.Uint32(prelude)
	if size < preludeSize+checksumSize || size > uint32(r.Size()) {
		return nil
	}
	frame, err := r.Peek(int(size))
	if err != nil {
		return nil
	}
	payload, ok := deltaPayload(frame)
	if !ok || !d.decode(payload) {
		return nil
	}
	_, _ = r.Discard(int(size))
	return &d.event
}

// deltaPayload returns the payload of a whole frame if it is a contentBlockDelta and not damaged.
func deltaPayload(frame []byte) (_ []byte, ok bool) {
	end := len(frame) - checksumSize
	if crc32.ChecksumIEEE(frame[:8]) != binary.BigEndian.Uint32(frame[8:]) ||
		crc32.ChecksumIEEE(frame[:end]) != binary.BigEndian.Uint32(frame[end:]) {
		return nil, false
	}
	size := binary.BigEndian.Uint32(frame[4:])
	if uint64(size) > uint64(end-preludeSize) {
		return nil, false
	}
	headers, payload := frame[preludeSize:preludeSize+size], frame[preludeSize+size:end]
	isEvent, isDelta := false, false
	for len(headers) > 0 {
		var name, value []byte
		if name, value, headers, ok = cutHeader(headers); !ok {
			return nil, false
		}
		switch string(name) {
		case ":message-type":
			isEvent = string(value) == "event"
		case ":event-type":
			isDelta = string(value) == "contentBlockDelta"
		}
	}
	return payload, isEvent && isDelta
}

// cutHeader returns the first header and the rest. It accepts only strings.
func cutHeader(b []byte) (name, value, rest []byte, ok bool) {
	const stringType = 7
	n := 1 + int(b[0])
	if len(b) < n+3 || b[n] != stringType {
		return nil, nil, nil, false
	}
	end := n + 3 + int(binary.BigEndian.Uint16(b[n+1:]))
	if len(b) < end {
		return nil, nil, nil, false
	}
	return b[1:n], b[n+3 : end], b[end:], true
}

// decode decodes a payload into d.event. It reports whether the payload has the form of the service.
func (d *deltaDecoder) decode(payload []byte) bool {
	rest := payload
	if !cut(&rest, `{"contentBlockIndex":`) {
		return false
	}
	var ok bool
	if d.index, rest, ok = cutIndex(rest); !ok || !cut(&rest, `,"delta":{`) {
		return false
	}
	var after string
	switch {
	case cut(&rest, `"text":`):
		d.text.Value, rest, ok = cutString(rest)
		d.event.Delta, after = &d.text, "}"
	case cut(&rest, `"reasoningContent":{"text":`):
		d.thought.Value, rest, ok = cutString(rest)
		d.reasoning.Value = &d.thought
		d.event.Delta, after = &d.reasoning, "}}"
	case cut(&rest, `"toolUse":{"input":`):
		d.input, rest, ok = cutString(rest)
		d.toolUse.Value.Input = &d.input
		d.event.Delta, after = &d.toolUse, "}}"
	default:
		return false
	}
	d.event.ContentBlockIndex = &d.index
	if !ok || !cut(&rest, after) {
		return false
	}
	if cut(&rest, `,"p":`) { // the service pads its events
		var padding []byte
		if padding, rest, ok = cutRaw(rest); !ok || bytes.IndexByte(padding, '\\') >= 0 {
			return false
		}
	}
	return string(rest) == "}"
}

// cut removes a prefix from *b and reports whether it was there.
func cut(b *[]byte, prefix string) bool {
	rest, ok := bytes.CutPrefix(*b, []byte(prefix))
	*b = rest
	return ok
}

// cutIndex returns the number of at most four digits at the beginning of b.
func cutIndex(b []byte) (_ int32, rest []byte, ok bool) {
	n, value := 0, int32(0)
	for n < len(b) && n < 4 && '0' <= b[n] && b[n] <= '9' {
		value = 10*value + int32(b[n]-'0')
		n++
	}
	return value, b[n:], n == 1 || n > 1 && b[0] != '0'
}

// cutString returns the JSON string at the beginning of b.
func cutString(b []byte) (_ string, rest []byte, ok bool) {
	raw, rest, ok := cutRaw(b)
	if !ok {
		return "", nil, false
	}
	inner := raw[1 : len(raw)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return string(inner), rest, true
	}
	var s string
	err := json.Unmarshal(raw, &s)
	return s, rest, err == nil
}

// cutRaw returns the JSON string at the beginning of b as it is written. It does not check escapes. It rejects invalid
// UTF-8 and \u escapes, which may be half a character.
func cutRaw(b []byte) (raw, rest []byte, ok bool) {
	if len(b) == 0 || b[0] != '"' {
		return nil, nil, false
	}
	for i := 1; i < len(b); i++ {
		switch c := b[i]; {
		case c == '"':
			raw = b[:i+1]
			return raw, b[i+1:], utf8.Valid(raw)
		case c == '\\':
			if i++; i == len(b) || b[i] == 'u' {
				return nil, nil, false
			}
		case c < ' ':
			return nil, nil, false
		}
	}
	return nil, nil, false
}
