package agent

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/carrel-go/carrel/internal/strictjson"
	"github.com/carrel-go/carrel/tools"
)

// repairTurns returns turns with JSON that every service accepts. Arguments and results are checked strictly when they
// enter a history, but one that was stored before may hold half surrogate pairs, which are replaced by U+FFFD, and
// duplicate names, of which the last stays. What cannot be repaired stays for the check to reject.
func repairTurns(turns []Turn) []Turn {
	copied := false
	for i, t := range turns {
		if fixed, changed := t.repair(); changed {
			if !copied {
				turns, copied = slices.Clone(turns), true
			}
			turns[i] = fixed
		}
	}
	return turns
}

// repair returns t with JSON that every service accepts, and whether that is another turn.
func (t Turn) repair() (Turn, bool) {
	changed := false
	for i, m := range t.Messages {
		for j, p := range m.Parts {
			fixed, isNew := p.repair()
			if !isNew {
				continue
			}
			if !changed {
				t.Messages, changed = slices.Clone(t.Messages), true
			}
			if &t.Messages[i].Parts[0] == &m.Parts[0] {
				t.Messages[i].Parts = slices.Clone(m.Parts)
			}
			t.Messages[i].Parts[j] = fixed
		}
	}
	return t, changed
}

func (p Part) repair() (Part, bool) {
	switch {
	case p.Use != nil:
		input, changed := repairJSON(p.Use.Input)
		if changed {
			use := *p.Use
			use.Input = input
			p.Use = &use
		}
		return p, changed
	case p.Result != nil:
		var blocks []tools.Block
		for i, b := range p.Result.Result.Blocks {
			fixed, changed := repairJSON(b.JSON)
			if !changed {
				continue
			}
			if blocks == nil {
				blocks = slices.Clone(p.Result.Result.Blocks)
			}
			blocks[i].JSON = fixed
		}
		if blocks != nil {
			res := *p.Result
			res.Result.Blocks = blocks
			p.Result = &res
		}
		return p, blocks != nil
	}
	return p, false
}

// repairJSON returns raw, or strict JSON of the same meaning if raw is JSON and not strict, and whether it is another
// value.
func repairJSON(raw json.RawMessage) (json.RawMessage, bool) {
	if raw == nil || strictjson.Check(raw) == nil {
		return raw, false
	}
	fixed := json.RawMessage(strictjson.Repair(raw))
	if strictjson.Check(fixed) == nil {
		return fixed, true
	}
	dec := json.NewDecoder(bytes.NewReader(fixed)) // duplicate names
	dec.UseNumber()
	var v any
	if !json.Valid(fixed) || dec.Decode(&v) != nil {
		return raw, false
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if enc.Encode(v) != nil {
		return raw, false
	}
	fixed = bytes.TrimSpace(out.Bytes())
	return fixed, strictjson.Check(fixed) == nil
}

// The places of arguments and of JSON results in a stored turn; an empty name is an item of a list.
var storedValues = [][]string{
	{"messages", "", "parts", "", "use", "input"},
	{"messages", "", "parts", "", "result", "blocks", "", "json"},
}

// repairStored returns a stored turn with its arguments and results repaired. It returns b itself if b is strict JSON
// or not JSON at all; nothing else in it changes.
func repairStored(b []byte) []byte {
	if strictjson.Check(b) == nil || !json.Valid(b) {
		return b
	}
	s := splicer{in: b, dec: json.NewDecoder(bytes.NewReader(b))}
	if s.value(storedValues) != nil {
		return b
	}
	return append(s.out, b[s.done:]...)
}

// splicer copies JSON and repairs the values in some places.
type splicer struct {
	in, out []byte
	done    int // how much of in has been copied
	dec     *json.Decoder
}

// value reads one value. The places are those below it; an empty one is the value itself.
func (s *splicer) value(places [][]string) error {
	if len(places) == 0 || len(places[0]) == 0 {
		return s.leaf(len(places) > 0)
	}
	open, err := s.dec.Token()
	if _, ok := open.(json.Delim); err != nil || !ok {
		return err
	}
	for s.dec.More() {
		name := ""
		if open == json.Delim('{') {
			token, err := s.dec.Token()
			if err != nil {
				return err
			}
			name, _ = token.(string)
		}
		var below [][]string
		for _, p := range places {
			if p[0] == name {
				below = append(below, p[1:])
			}
		}
		if err := s.value(below); err != nil {
			return err
		}
	}
	_, err = s.dec.Token()
	return err
}

// leaf reads a value whole, and repairs it if repair is set.
func (s *splicer) leaf(repair bool) error {
	var raw json.RawMessage
	if err := s.dec.Decode(&raw); err != nil || !repair {
		return err
	}
	if fixed, changed := repairJSON(raw); changed {
		end := int(s.dec.InputOffset())
		s.out = append(append(s.out, s.in[s.done:end-len(raw)]...), fixed...)
		s.done = end
	}
	return nil
}
