package objecttools

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	shapeDepth = 6   // the deepest level of a shape
	shapeWidth = 60  // the number of names of one object
	shapeNodes = 150 // the number of nodes
)

// jsonTypes is a set of JSON types.
type jsonTypes uint8

const (
	jsonObject jsonTypes = 1 << iota
	jsonArray
	jsonString
	jsonNumber
	jsonBool
	jsonNull
)

func (t jsonTypes) names() []string {
	var out []string
	for i, name := range []string{"object", "array", "string", "number", "boolean", "null"} {
		if t&(1<<i) != 0 {
			out = append(out, name)
		}
	}
	return out
}

// shapeNode is a position in JSON: the root, the values of one name, or the items of an array.
type shapeNode struct {
	path    string
	depth   int
	types   jsonTypes
	count   int64
	members map[string]int
	items   int // 0 if unset: the root is not an item
}

// jsonShape is the structure of JSON values, up to a fixed number of nodes. A node is named by its index. The index -1
// stands for a position that is left out.
type jsonShape struct {
	enc     encoding
	nodes   []shapeNode
	leftOut int // how often a name or an array was left out
}

const rootNode = 0

func newJSONShape(enc encoding) *jsonShape {
	return &jsonShape{enc: enc, nodes: []shapeNode{{path: "$"}}}
}

func (s *jsonShape) countValue(n int, t jsonTypes) {
	if n >= 0 {
		s.nodes[n].types |= t
		s.nodes[n].count++
	}
}

// memberNode returns the node of a name, as it is written, in the objects at n.
func (s *jsonShape) memberNode(n int, name []byte) int {
	if n < 0 {
		return -1
	}
	if c, ok := s.nodes[n].members[string(name)]; ok {
		return c
	}
	if len(s.nodes[n].members) >= shapeWidth {
		s.leftOut++
		return -1
	}
	c := s.addNode(n, pathStep(name, s.enc))
	if c >= 0 {
		if s.nodes[n].members == nil {
			s.nodes[n].members = map[string]int{}
		}
		s.nodes[n].members[string(name)] = c
	}
	return c
}

func (s *jsonShape) itemNode(n int) int {
	if n < 0 {
		return -1
	}
	if s.nodes[n].items == 0 {
		c := s.addNode(n, "[]")
		if c < 0 {
			return -1
		}
		s.nodes[n].items = c
	}
	return s.nodes[n].items
}

func (s *jsonShape) addNode(parent int, step string) int {
	if s.nodes[parent].depth >= shapeDepth || len(s.nodes) >= shapeNodes {
		s.leftOut++
		return -1
	}
	s.nodes = append(s.nodes, shapeNode{path: s.nodes[parent].path + step, depth: s.nodes[parent].depth + 1})
	return len(s.nodes) - 1
}

// pathStep returns the path element of a name: .title, or ["a title"] unless the name is a plain word.
func pathStep(name []byte, enc encoding) string {
	isLong := len(name) > maxName
	if isLong {
		name = name[:maxName-partialRuneLen(name[:maxName])]
	}
	isPlain := len(name) > 0 && !isLong
	for _, b := range name {
		isPlain = isPlain && (b == '_' || isDigit(b) || 'a' <= b|0x20 && b|0x20 <= 'z')
	}
	if isPlain {
		return "." + string(name)
	}
	var decoded string
	if !utf8.Valid(name) || json.Unmarshal([]byte(`"`+string(name)+`"`), &decoded) != nil {
		decoded, _ = enc.toText(name) // truncated within an escape, or invalid UTF-8
	}
	if isLong {
		decoded += "…"
	}
	return "[" + strconv.Quote(strings.ToValidUTF8(decoded, "\ufffd")) + "]"
}
