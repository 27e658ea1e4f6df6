package table

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
)

// appendMap appends the JSON of attributes, with their names in order. It writes the bytes that encoding/json writes
// for [jsonValue], without building one.
func appendMap(b []byte, m map[string]Value) ([]byte, error) {
	var few [16]string
	names := few[:0]
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	b = append(b, '{')
	for i, name := range names {
		if i > 0 {
			b = append(b, ',')
		}
		var err error
		if b, err = appendValue(append(appendText(b, name), ':'), m[name]); err != nil {
			return nil, fmt.Errorf("%q: %w", name, err)
		}
	}
	return append(b, '}'), nil
}

func appendValue(b []byte, v Value) (_ []byte, err error) {
	switch v := v.(type) {
	case nil:
		return append(b, `{"null":true}`...), nil
	case string:
		b = appendText(append(b, `{"s":`...), v)
	case bool:
		b = strconv.AppendBool(append(b, `{"bool":`...), v)
	case int64:
		b = strconv.AppendInt(append(b, `{"int":`...), v, 10)
	case float64:
		number, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		b = append(append(b, `{"float":`...), number...)
	case []byte:
		b = append(base64.StdEncoding.AppendEncode(append(b, `{"bytes":"`...), v), '"')
	case []Value:
		b = append(b, `{"list":[`...)
		for i, e := range v {
			if i > 0 {
				b = append(b, ',')
			}
			if b, err = appendValue(b, e); err != nil {
				return nil, err
			}
		}
		b = append(b, ']')
	case map[string]Value:
		if b, err = appendMap(append(b, `{"map":`...), v); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("the type %T is not a Value", v)
	}
	return append(b, '}'), nil
}

// appendText appends the JSON of a string, as encoding/json writes it.
func appendText(b []byte, s string) []byte {
	start, done := len(b), 0 // done: bytes of s that are in b
	b = append(b, '"')
	for i := range len(s) {
		c := s[i]
		switch {
		case c == '"' || c == '\\' || c == '\n':
			b = append(b, s[done:i]...)
			if done = i + 1; c == '\n' {
				c = 'n'
			}
			b = append(b, '\\', c)
		case c < ' ', c >= 0x7f, c == '<', c == '>', c == '&': // rare
			text, err := json.Marshal(s)
			if err != nil {
				panic(err) // never for a string
			}
			return append(b[:start], text...)
		}
	}
	return append(append(b, s[done:]...), '"')
}
