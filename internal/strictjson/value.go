package strictjson

import (
	"bytes"
	"encoding/json"
	"iter"
)

// Type is the JSON type of a [Value].
type Type string

// The JSON types.
const (
	Null    Type = "null"
	Boolean Type = "boolean"
	Number  Type = "number"
	String  Type = "string"
	Array   Type = "array"
	Object  Type = "object"
)

// Value is a valid JSON value that [Parse] has read. It refers to the parsed bytes, which must not change. The zero
// Value is that of a member which [Value.Get] has not found. Its type and text are empty, and it is without items and
// members.
type Value struct {
	doc *document
	n   int
}

type document struct {
	b     []byte
	nodes []node   // in the order of the text: of a member, the name and then the value
	few   [16]node // the memory of nodes, unless there are more
}

// Parse reads one JSON value. It returns an [*Error] if b is not valid. It takes about 12 bytes of memory for each
// value and name in b.
func Parse(b []byte) (Value, error) { return parseDocument(b, MaxDepth) }

func parseDocument(b []byte, maxDepth int) (Value, error) {
	d := &document{b: b}
	d.nodes = d.few[:0]
	if n := len(b)/8 + 4; n > len(d.few) {
		d.nodes = make([]node, 0, min(n, 1<<12))
	}
	s := scanner{b: b, doc: d, maxDepth: maxDepth}
	if err := s.readDocument(); err != nil {
		return Value{}, err
	}
	return Value{d, 0}, nil
}

// ParseObject is [Parse] for an input that must be an object.
func ParseObject(b []byte) (Value, error) { return parseObject(b, MaxDepth) }

// ParseEnvelope is [ParseObject] for a document of ours that holds values which Parse has accepted. It accepts 16
// levels more than [MaxDepth].
func ParseEnvelope(b []byte) (Value, error) { return parseObject(b, MaxDepth+16) }

func parseObject(b []byte, maxDepth int) (Value, error) {
	v, err := parseDocument(b, maxDepth)
	if err == nil && v.Type() != Object {
		return Value{}, &Error{Kind: NotObject, Offset: v.Offset()}
	}
	return v, err
}

// Type returns the type of v, or "" for the zero Value.
func (v Value) Type() Type {
	if v.doc == nil {
		return ""
	}
	switch v.Raw()[0] {
	case 'n':
		return Null
	case 't', 'f':
		return Boolean
	case '"':
		return String
	case '[':
		return Array
	case '{':
		return Object
	}
	return Number
}

// Raw returns v as it is written in the input, or nil for the zero Value.
func (v Value) Raw() json.RawMessage {
	if v.doc == nil {
		return nil
	}
	n := v.doc.nodes[v.n]
	return v.doc.b[n.start:n.end:n.end]
}

// Offset returns where v begins in the input, in bytes.
func (v Value) Offset() int {
	if v.doc == nil {
		return 0
	}
	return int(v.doc.nodes[v.n].start)
}

// Text returns the decoded text of a String, otherwise "".
func (v Value) Text() string {
	if v.Type() != String {
		return ""
	}
	return string(v.decodeText())
}

// decodeText returns the decoded text of a String. It does not allocate unless the string has escapes.
func (v Value) decodeText() []byte {
	raw := v.Raw()
	if bytes.IndexByte(raw, '\\') >= 0 {
		return decodeEscapes(raw)
	}
	return raw[1 : len(raw)-1]
}

// Len returns the number of items of an Array or of members of an Object, otherwise 0.
func (v Value) Len() int {
	if v.doc == nil {
		return 0
	}
	count := 0
	nodes := v.doc.nodes
	for n := v.n + 1; n < int(nodes[v.n].next); n = int(nodes[n].next) {
		count++
	}
	if v.Type() == Object {
		return count / 2
	}
	return count
}

// Items yields the items of an Array in order; nothing for other types.
func (v Value) Items() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		if v.Type() != Array {
			return
		}
		nodes := v.doc.nodes
		for n := v.n + 1; n < int(nodes[v.n].next); n = int(nodes[n].next) {
			if !yield(Value{v.doc, n}) {
				return
			}
		}
	}
}

// Members yields the decoded names and the values of an Object in order; nothing for other types.
func (v Value) Members() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		if v.Type() != Object {
			return
		}
		nodes := v.doc.nodes
		for n := v.n + 1; n < int(nodes[v.n].next); n = int(nodes[n+1].next) {
			if !yield(Value{v.doc, n}.Text(), Value{v.doc, n + 1}) {
				return
			}
		}
	}
}

// Get returns the member of that name, and whether v is an Object that has it.
func (v Value) Get(name string) (Value, bool) {
	if v.Type() != Object {
		return Value{}, false
	}
	nodes := v.doc.nodes
	for n := v.n + 1; n < int(nodes[v.n].next); n = int(nodes[n+1].next) {
		if string(Value{v.doc, n}.decodeText()) == name {
			return Value{v.doc, n + 1}, true
		}
	}
	return Value{}, false
}
