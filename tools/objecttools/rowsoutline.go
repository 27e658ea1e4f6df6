package objecttools

import (
	"fmt"
	"strings"
)

const (
	maxOutline     = 5  // members that a note names
	maxOutlineName = 60 // bytes of a name
)

// outline lists the members of the object that is the root of a JSON file, for the note about those that are not read.
type outline struct {
	isObject bool
	isKey    bool // the next string at depth 1 is a name
	isInName bool
	name     []byte
	read     string // the member whose items are the rows, or empty
	isRead   bool   // the current member is that
	from     int64  // of the value of the current member
	others   []string
	more     int
}

// consume consumes a byte outside strings. depth is that before the byte, and at counts the bytes before it.
func (o *outline) consume(b byte, depth int, at int64) {
	switch {
	case depth == 0:
		o.isObject, o.isKey = b == '{', b == '{'
	case depth > 1 || !o.isObject:
	case b == '"' && o.isKey:
		o.isInName, o.name = true, o.name[:0]
	case b == ':' && o.isKey:
		o.isKey, o.isRead, o.from = false, false, at+1
	case (b == ',' || b == '}') && !o.isKey:
		o.isKey = true
		o.endMember(at)
	}
}

// consumeText consumes a byte of a string.
func (o *outline) consumeText(b byte, ends bool) {
	switch {
	case ends:
		o.isInName = false
	case o.isInName && len(o.name) < maxOutlineName:
		o.name = append(o.name, b)
	}
}

// beginRows reports that the rows are the items of the current member.
func (o *outline) beginRows() { o.isRead, o.read = true, o.text() }

func (o *outline) text() string { return fmt.Sprintf("%q", strings.ToValidUTF8(string(o.name), "")) }

func (o *outline) endMember(at int64) {
	switch {
	case o.isRead:
	case len(o.others) == maxOutline:
		o.more++
	default:
		o.others = append(o.others, fmt.Sprintf("%s (%d bytes)", o.text(), at-o.from))
	}
}

// note returns the remark about what is not read, or an empty text.
func (o *outline) note() string {
	switch {
	case !o.isObject:
		return ""
	case o.read == "":
		return "the whole file is read as one row, because none of its members is an array of objects"
	case len(o.others) == 0:
		return ""
	}
	s := fmt.Sprintf("the rows are the items of %s; not read: %s", o.read, strings.Join(o.others, ", "))
	if o.more > 0 {
		s += fmt.Sprintf(" and %d more", o.more)
	}
	return s
}
