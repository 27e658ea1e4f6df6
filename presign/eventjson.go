package presign

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// members is a JSON object. Unlike what encoding/json makes of one, it has no
// member twice, and names differ by case.
type members map[string]any

// maxDepth is how deep JSON may be nested: events are five deep.
const maxDepth = 32

// parseJSON reads one JSON object. Its values are members, []any, string,
// json.Number, bool and nil.
func parseJSON(raw []byte) (members, error) {
	if !utf8.Valid(raw) {
		return nil, errors.New("not UTF-8")
	}
	p := &parser{Decoder: json.NewDecoder(bytes.NewReader(raw))}
	p.UseNumber()
	v, err := p.value(0)
	if err != nil {
		return nil, err
	}
	m, ok := v.(members)
	if !ok {
		return nil, errors.New("not a JSON object")
	}
	if _, err := p.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON value")
	}
	if p.replaced > bytes.Count(raw, []byte(replacement)) { // the decoder puts it where an escape is half a surrogate
		return nil, errors.New("not Unicode")
	}
	return m, nil
}

const replacement = string(utf8.RuneError)

type parser struct {
	*json.Decoder
	replaced int // replacement characters in the strings that were read
}

func (p *parser) value(depth int) (any, error) {
	if depth > maxDepth {
		return nil, errors.New("nested too deeply")
	}
	t, err := p.Token()
	if err != nil {
		return nil, errors.New("not JSON")
	}
	switch t {
	case json.Delim('{'):
		return p.object(depth)
	case json.Delim('['):
		list := []any{}
		for p.More() {
			v, err := p.value(depth + 1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, p.end()
	}
	if s, ok := t.(string); ok {
		p.replaced += strings.Count(s, replacement)
	}
	return t, nil
}

func (p *parser) object(depth int) (any, error) {
	m := members{}
	for p.More() {
		t, err := p.Token()
		name, ok := t.(string)
		if err != nil || !ok {
			return nil, errors.New("not JSON")
		}
		if _, twice := m[name]; twice {
			return nil, fmt.Errorf("member %.80q twice", name)
		}
		p.replaced += strings.Count(name, replacement)
		if m[name], err = p.value(depth + 1); err != nil {
			return nil, err
		}
	}
	return m, p.end()
}

// end reads the bracket that the decoder knows to be next.
func (p *parser) end() error {
	if _, err := p.Token(); err != nil {
		return errors.New("not JSON")
	}
	return nil
}

// reading keeps the first error of a series of reads.
type reading struct{ err error }

func (r *reading) fail(name string) {
	if r.err == nil {
		r.err = event("member %q is missing or of another type", name)
	}
}

func (r *reading) object(m members, name string) members {
	o, ok := m[name].(members)
	if !ok {
		r.fail(name)
	}
	return o
}

// text wants a string that is not empty.
func (r *reading) text(m members, name string) string {
	s, ok := m[name].(string)
	if !ok || s == "" {
		r.fail(name)
	}
	return s
}

// maybe reads a string that may be missing, null or empty.
func (r *reading) maybe(m members, name string) string {
	switch v := m[name].(type) {
	case nil:
	case string:
		return v
	default:
		r.fail(name)
	}
	return ""
}

// size wants a number of bytes.
func (r *reading) size(m members) int64 {
	n, _ := m["size"].(json.Number)
	size, err := n.Int64()
	if err != nil || size < 0 {
		r.fail("size")
	}
	return size
}
