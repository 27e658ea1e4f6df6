package agenttest

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"
)

// text is a string in a recording: a JSON string; where it has several lines an array of them, so that a person can
// read it; and where it is not UTF-8, {"base64": …}.
type text string

// MarshalJSON implements [json.Marshaler].
func (t text) MarshalJSON() ([]byte, error) {
	s := string(t)
	switch {
	case !utf8.ValidString(s):
		return json.Marshal(base64Text{[]byte(s)})
	case strings.Contains(s, "\n"):
		lines := strings.SplitAfter(s, "\n")
		if lines[len(lines)-1] == "" {
			lines = lines[:len(lines)-1]
		}
		var b bytes.Buffer
		for i, l := range lines {
			b.WriteByte("[,"[min(i, 1)])
			b.Write(quote(l))
		}
		b.WriteByte(']')
		return b.Bytes(), nil
	}
	return quote(s), nil
}

type base64Text struct {
	Base64 []byte `json:"base64"`
}

// UnmarshalJSON implements [json.Unmarshaler].
func (t *text) UnmarshalJSON(b []byte) error {
	switch b[0] {
	case '"':
		var s string
		err := json.Unmarshal(b, &s)
		*t = text(s)
		return err
	case '[':
		var lines []string
		err := json.Unmarshal(b, &lines)
		*t = text(strings.Join(lines, ""))
		return err
	case '{':
		var v base64Text
		d := json.NewDecoder(bytes.NewReader(b))
		d.DisallowUnknownFields()
		err := d.Decode(&v)
		*t = text(v.Base64)
		return err
	}
	return errors.New("a text is a string, an array of lines or {\"base64\": …}")
}

// width is how long a line may be that holds more than one value.
const width = 110

// pretty lays JSON out for a person: what fits on a line is on one.
func pretty(compact []byte) []byte {
	var b bytes.Buffer
	lay(&b, compact, 0, 0)
	b.WriteByte('\n')
	return b.Bytes()
}

// lay writes one value, which begins in the given column of a line with the given indentation.
func lay(b *bytes.Buffer, v []byte, indent, column int) {
	open := v[0]
	if open != '{' && open != '[' {
		b.Write(v)
		return
	}
	if line := oneLine(v); column+len(line) <= width {
		b.Write(line)
		return
	}
	b.WriteByte(open)
	for i, m := range members(v) {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('\n')
		for range indent + 1 {
			b.WriteString("  ")
		}
		at := 2 * (indent + 1)
		if open == '{' {
			end := literalEnd(m, 0)
			b.Write(m[:end])
			b.WriteString(": ")
			at += end + 2
			m = m[end+1:]
		}
		lay(b, m, indent+1, at+1) // a comma may follow
	}
	b.WriteByte('\n')
	for range indent {
		b.WriteString("  ")
	}
	b.WriteByte(open + 2) // in ASCII the closing bracket is the second one after the opening one
}

// oneLine is compact JSON with a space after each comma and colon.
func oneLine(v []byte) []byte {
	var b bytes.Buffer
	for i := 0; i < len(v); {
		end := i + 1
		if v[i] == '"' {
			end = literalEnd(v, i)
		}
		b.Write(v[i:end])
		if v[i] == ',' || v[i] == ':' {
			b.WriteByte(' ')
		}
		i = end
	}
	return b.Bytes()
}

// members are the elements of a compact array, or the pairs of a compact object.
func members(v []byte) [][]byte {
	var out [][]byte
	depth, from := 0, 1
	for i := 1; i < len(v)-1; {
		switch v[i] {
		case '"':
			i = literalEnd(v, i)
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case ',':
			if depth == 0 {
				out = append(out, v[from:i])
				from = i + 1
			}
		}
		i++
	}
	if from < len(v)-1 {
		out = append(out, v[from:len(v)-1])
	}
	return out
}

// literalEnd is where the string literal ends that begins at i of valid JSON.
func literalEnd(v []byte, i int) int {
	for i++; v[i] != '"'; i++ {
		if v[i] == '\\' {
			i++
		}
	}
	return i + 1
}
