package agenttest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"unicode/utf8"
)

// encode writes a recording as it is in a file.
func (r recording) encode() ([]byte, error) {
	w := recording{Version: recordingVersion, Exchanges: slices.Clone(r.Exchanges)}
	if w.Exchanges == nil {
		w.Exchanges = []exchange{}
	}
	shapes := make([]shape, len(w.Exchanges))
	for i := range w.Exchanges {
		req := &w.Exchanges[i].Request
		var err error
		if shapes[i], err = req.shape(); err != nil {
			return nil, fmt.Errorf("agenttest: encode recording: %w", err)
		}
		for j := i - 1; j >= 0; j-- {
			if shapes[i].continues(shapes[j]) {
				*req = request{Continues: j + 1, Messages: append([]message{}, req.Messages[len(shapes[j].messages):]...)}
				break
			}
		}
	}
	b, err := compact(w)
	if err != nil {
		return nil, fmt.Errorf("agenttest: encode recording: %w", err)
	}
	return pretty(b), nil
}

// shape is a request in a form that is quickly compared: each message as JSON, and all else as JSON.
type shape struct {
	head     string
	messages []string
}

func (r request) shape() (s shape, err error) {
	for _, m := range r.Messages {
		b, err := compact(m)
		if err != nil {
			return s, err
		}
		s.messages = append(s.messages, string(b))
	}
	r.Messages = nil
	b, err := compact(r)
	s.head = string(b)
	return s, err
}

// continues says whether s is o, and maybe more messages.
func (s shape) continues(o shape) bool {
	n := len(o.messages)
	return n > 0 && len(s.messages) >= n && s.head == o.head && slices.Equal(s.messages[:n], o.messages)
}

// decodeRecording reads what encode writes, by hand or by program, and refuses everything else.
func decodeRecording(b []byte) (recording, error) {
	var r recording
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	err := d.Decode(&r)
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			err = errors.New("more than one JSON value")
		}
	}
	if err == nil && r.Version != recordingVersion {
		err = fmt.Errorf("version %d, want %d", r.Version, recordingVersion)
	}
	for i := 0; err == nil && i < len(r.Exchanges); i++ {
		if err = r.Exchanges[i].settle(r.Exchanges[:i]); err != nil {
			err = fmt.Errorf("exchange %d: %w", i+1, err)
		}
	}
	if err != nil {
		return recording{}, fmt.Errorf("agenttest: decode recording: %w", err)
	}
	return r, nil
}

// settle makes the request whole, and the JSON in the exchange compact.
func (e *exchange) settle(before []exchange) error {
	if e.End != "" && e.End != left && e.End != cancelled {
		return fmt.Errorf("the end %q, want %q or %q", e.End, left, cancelled)
	}
	if e.End != "" && e.Error != nil {
		return errors.New("both an error and an end")
	}
	req := &e.Request
	if n := req.Continues; n != 0 {
		if n < 0 || n > len(before) {
			return fmt.Errorf("it continues exchange %d, which does not come before it", n)
		}
		bare := *req
		bare.Continues, bare.Messages = 0, nil
		if !reflect.DeepEqual(bare, request{}) {
			return errors.New("a request that continues another holds messages alone")
		}
		whole := before[n-1].Request
		whole.Messages = slices.Concat(whole.Messages, req.Messages)
		*req = whole
	}
	for _, raw := range e.documents() {
		var b bytes.Buffer
		if err := json.Compact(&b, *raw); err != nil {
			return err
		}
		*raw = b.Bytes()
	}
	return nil
}

// documents are the JSON values in an exchange.
func (e *exchange) documents() []*json.RawMessage {
	var all []*json.RawMessage
	add := func(raw *json.RawMessage) {
		if len(*raw) > 0 {
			all = append(all, raw)
		}
	}
	for i := range e.Request.Tools {
		add(&e.Request.Tools[i].Schema)
	}
	for _, m := range e.Request.Messages {
		for _, p := range m.Parts {
			if p.Use != nil {
				add(&p.Use.Input)
			}
			if p.Result != nil {
				for i := range p.Result.Blocks {
					add(&p.Result.Blocks[i].JSON)
				}
			}
		}
	}
	for _, d := range e.Answer {
		if d.Use != nil {
			add(&d.Use.Input)
		}
	}
	return all
}

// compact is v as JSON in one line, which HTML's characters keep as they are.
func compact(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// split puts raw, without its secrets, where it can be read: as JSON, made compact, or as text. What was no JSON is text
// also if a secret was all that was wrong with it.
func (v *vault) split(raw []byte) (json.RawMessage, text) {
	safe := v.json(raw)
	var b bytes.Buffer
	if !json.Valid(raw) || !utf8.Valid(safe) || json.Compact(&b, safe) != nil {
		return nil, text(safe)
	}
	return b.Bytes(), ""
}

// digest is the SHA-256 of b in hexadecimal.
func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
