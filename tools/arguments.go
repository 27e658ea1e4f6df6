package tools

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// parse reads one JSON value more strictly than encoding/json: text that is not UTF-8, half of a surrogate pair and
// a name given twice are errors, where encoding/json would repair or choose. Its errors end a sentence that begins
// with "the arguments are".
func parse(raw json.RawMessage) (any, error) {
	if !utf8.Valid(raw) {
		return nil, errors.New("not UTF-8")
	}
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		if e, ok := errors.AsType[*json.SyntaxError](err); ok {
			return nil, fmt.Errorf("not one JSON value: %w at byte %d", e, e.Offset)
		}
		return nil, fmt.Errorf("not one JSON value: %w", err)
	}
	// A name that comes twice leaves fewer names in v than raw has colons outside its strings: cheaper to count than
	// to keep every object's names.
	colons, ok := scan(raw)
	if !ok {
		return nil, errors.New(`not text: \u escapes hold half of a surrogate pair`)
	}
	if colons != names(v) {
		return nil, fmt.Errorf("ambiguous: the name %q comes twice in one object", firstDuplicate(raw))
	}
	return v, nil
}

// scan reads valid JSON: how many colons stand outside strings, and whether every escaped surrogate has its pair.
func scan(b []byte) (colons int, ok bool) {
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case ':':
			colons++
		case '"':
			for i++; b[i] != '"'; i++ {
				if b[i] != '\\' {
					continue
				}
				i++
				if b[i] != 'u' {
					continue
				}
				switch r := hex4(b[i+1:]); {
				case 0xdc00 <= r && r < 0xe000:
					return 0, false
				case 0xd800 <= r && r < 0xdc00:
					low := b[i+5:]
					if !bytes.HasPrefix(low, []byte(`\u`)) {
						return 0, false
					}
					if r := hex4(low[2:]); r < 0xdc00 || 0xe000 <= r {
						return 0, false
					}
					i += 6
				}
				i += 4
			}
		}
	}
	return colons, true
}

// hex4 reads the four hexadecimal digits at the start of b.
func hex4(b []byte) uint64 {
	n, _ := strconv.ParseUint(string(b[:4]), 16, 32) // valid JSON has four
	return n
}

// names counts the names of all objects in v.
func names(v any) int {
	n := 0
	switch v := v.(type) {
	case map[string]any:
		n = len(v)
		for _, e := range v {
			n += names(e)
		}
	case []any:
		for _, e := range v {
			n += names(e)
		}
	}
	return n
}

// firstDuplicate finds a name that comes twice in one object of valid JSON.
func firstDuplicate(raw []byte) string {
	type level struct {
		names map[string]bool // nil for an array
		value bool            // a value comes next, not a name
	}
	var stack []level
	dec := json.NewDecoder(bytes.NewReader(raw))
	for {
		tok, err := dec.Token()
		if err != nil {
			return "" // the end; parse has seen that there is a duplicate, so this is not reached
		}
		if d, ok := tok.(json.Delim); ok && (d == '}' || d == ']') {
			stack = stack[:len(stack)-1]
			continue
		}
		if n := len(stack); n > 0 && stack[n-1].names != nil {
			top := &stack[n-1]
			if !top.value {
				name := tok.(string)
				if top.names[name] {
					return name
				}
				top.names[name], top.value = true, true
				continue
			}
			top.value = false
		}
		switch tok {
		case json.Delim('{'):
			stack = append(stack, level{names: map[string]bool{}})
		case json.Delim('['):
			stack = append(stack, level{})
		}
	}
}
