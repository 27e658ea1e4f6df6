package strictjson

import (
	"bytes"
	"slices"
)

// Canonical returns b in one form, so that values are equal exactly if the bytes are: without white space, the members
// of objects ordered by the bytes of their names, strings with the fewest escapes, and each number in one layout with
// all its digits (3.0, 3e0 and 3 are equal; -0 is 0). Only numbers whose exponent exceeds 32 bits stay as they are
// written. The result follows RFC 8785 except in the order of names beyond U+FFFF and in numbers that a float64 does
// not hold. It returns an [*Error] if b is not valid.
func Canonical(b []byte) ([]byte, error) {
	v, err := Parse(b)
	if err != nil {
		return nil, err
	}
	return v.AppendCanonical(make([]byte, 0, len(b))), nil
}

// AppendCanonical appends the form of v that [Canonical] returns.
func (v Value) AppendCanonical(dst []byte) []byte {
	switch v.Type() {
	case Number:
		if isPlain(v.Raw(), 21) {
			break
		}
		if d, ok := parseDecimal(v.Raw()); ok {
			return d.appendCanonical(dst)
		}
	case String:
		return appendQuoted(dst, v.decodeText())
	case Array:
		dst = append(dst, '[')
		for item := range v.Items() {
			dst = append(item.AppendCanonical(dst), ',')
		}
		return closeContainer(dst, ']')
	case Object:
		dst = append(dst, '{')
		var few [8]member
		for _, m := range v.appendSorted(few[:0]) {
			dst = append(appendQuoted(dst, m.name), ':')
			dst = append(m.value.AppendCanonical(dst), ',')
		}
		return closeContainer(dst, '}')
	}
	return append(dst, v.Raw()...)
}

type member struct {
	name  []byte
	value Value
}

// appendSorted appends the members of an Object by name.
func (v Value) appendSorted(ms []member) []member {
	nodes := v.doc.nodes
	for n := v.n + 1; n < int(nodes[v.n].next); n = int(nodes[n+1].next) {
		ms = append(ms, member{Value{v.doc, n}.decodeText(), Value{v.doc, n + 1}})
	}
	slices.SortFunc(ms, func(a, b member) int { return bytes.Compare(a.name, b.name) })
	return ms
}

// closeContainer closes a container, in place of the comma behind its last value.
func closeContainer(dst []byte, bracket byte) []byte {
	if last := len(dst) - 1; dst[last] == ',' {
		dst = dst[:last]
	}
	return append(dst, bracket)
}

// AppendString appends s, which must be valid UTF-8, as a string with only the escapes that JSON demands.
func AppendString(dst []byte, s string) []byte { return appendQuoted(dst, s) }

// appendQuoted appends s as a string with only the escapes that JSON demands.
func appendQuoted[S string | []byte](dst []byte, s S) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	done := 0 // bytes of s that are in dst
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[done:i]...)
		done = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\b':
			dst = append(dst, `\b`...)
		case '\f':
			dst = append(dst, `\f`...)
		case '\n':
			dst = append(dst, `\n`...)
		case '\r':
			dst = append(dst, `\r`...)
		case '\t':
			dst = append(dst, `\t`...)
		default:
			dst = append(append(dst, `\u00`...), hex[c>>4], hex[c&15])
		}
	}
	return append(append(dst, s[done:]...), '"')
}
