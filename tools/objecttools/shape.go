package objecttools

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	shapeDepth = 6   // how deep a shape looks
	shapeWidth = 60  // how many names of one object it tells
	shapeNodes = 150 // how many places it tells
)

// kinds is a set of the types of JSON.
type kinds uint8

const (
	isObject kinds = 1 << iota
	isArray
	isString
	isNumber
	isBool
	isNull
)

func (k kinds) names() []string {
	var out []string
	for i, n := range []string{"object", "array", "string", "number", "boolean", "null"} {
		if k&(1<<i) != 0 {
			out = append(out, n)
		}
	}
	return out
}

// node is a place in JSON: the root, the values of one name in one kind of object, the items of one kind of array.
type node struct {
	path    string
	depth   int
	kinds   kinds
	count   int64
	members map[string]int
	items   int // 0: none, since the root is no item
}

// shape is the structure of JSON, as far as it fits.
type shape struct {
	nodes   []node
	leftOut int // names and arrays, each as often as it came, that got no place
}

func newShape() *shape { return &shape{nodes: []node{{path: "$"}}} }

func (s *shape) root() int { return 0 }

// saw counts a value of a node; -1 is a place that is not told.
func (s *shape) saw(n int, k kinds) {
	if n >= 0 {
		s.nodes[n].kinds |= k
		s.nodes[n].count++
	}
}

// member is the place of a name, as it is written, in the objects at n.
func (s *shape) member(n int, name []byte) int {
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
	c := s.add(n, step(name))
	if c >= 0 {
		if s.nodes[n].members == nil {
			s.nodes[n].members = map[string]int{}
		}
		s.nodes[n].members[string(name)] = c
	}
	return c
}

// item is the place of the items of the arrays at n.
func (s *shape) item(n int) int {
	if n < 0 {
		return -1
	}
	if s.nodes[n].items == 0 {
		c := s.add(n, "[]")
		if c < 0 {
			return -1
		}
		s.nodes[n].items = c
	}
	return s.nodes[n].items
}

func (s *shape) add(parent int, step string) int {
	if s.nodes[parent].depth >= shapeDepth || len(s.nodes) >= shapeNodes {
		s.leftOut++
		return -1
	}
	s.nodes = append(s.nodes, node{path: s.nodes[parent].path + step, depth: s.nodes[parent].depth + 1})
	return len(s.nodes) - 1
}

// step is a name in a path: .title, or ["a title"] where it is no plain word.
func step(name []byte) string {
	long := len(name) > maxName
	if long {
		name = name[:maxName-cutRune(name[:maxName])]
	}
	plain := len(name) > 0 && !long
	for _, b := range name {
		plain = plain && (b == '_' || isDigit(b) || 'a' <= b|0x20 && b|0x20 <= 'z')
	}
	if plain {
		return "." + string(name)
	}
	var decoded string
	if !utf8.Valid(name) || json.Unmarshal([]byte(`"`+string(name)+`"`), &decoded) != nil {
		decoded, _ = show(name) // cut within an escape, or no UTF-8
	}
	if long {
		decoded += "…"
	}
	return "[" + strconv.Quote(strings.ToValidUTF8(decoded, "\ufffd")) + "]"
}
