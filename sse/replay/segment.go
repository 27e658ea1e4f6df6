package replay

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/carrel-go/carrel/scope/table"
)

// The attributes of a segment's item.
const (
	writerAttr = "writer" // the id of the Writer
	eventsAttr = "events" // one line for each event
	finalAttr  = "final"  // present in the last segment of a finished log
)

// errForeign is returned for an item under this package's prefix that it cannot have written.
var errForeign = errors.New("replay: an item was not written by this package")

// segment is what one commit writes. It is immutable once it is committed.
type segment struct {
	number int64
	writer string
	lines  []byte // each ends with a line feed: the data of an event, or a reference to an object
	final  bool
}

// names builds the sort keys of a log.
type names string

func newNames(log string) (names, error) {
	const allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
	if log == "" || len(log) > 64 || strings.Trim(log, allowed) != "" {
		return "", fmt.Errorf("%w: the name %.80q must be 1 to 64 letters, digits, - and _", ErrInvalid, log)
	}
	return names(log), nil
}

func (n names) prefix() string { return "log#" + string(n) + "#" }
func (n names) end() string    { return "log#" + string(n) + "$" } // $ sorts after #

func (n names) sortKey(number int64) string {
	var digits [segmentDigits]byte
	writeDigits(digits[:], number)
	return n.prefix() + string(digits[:])
}

// encodeSegment returns the item of the segment.
func (s *segment) encodeSegment(n names, retention time.Duration) table.Item {
	attr := map[string]table.Value{writerAttr: s.writer, eventsAttr: string(s.lines)}
	if s.final {
		attr[finalAttr] = true
	}
	return table.Item{Sort: n.sortKey(s.number), Expires: time.Now().Add(retention), Attr: attr}
}

// decodeSegment returns the segment of an item.
func decodeSegment(n names, it table.Item) (*segment, error) {
	number, err := parseDigits(strings.TrimPrefix(it.Sort, n.prefix()), segmentDigits)
	writer, hasWriter := it.Attr[writerAttr].(string)
	lines, hasLines := it.Attr[eventsAttr].(string)
	final, _ := it.Attr[finalAttr].(bool)
	isEmpty := final && lines == "" // a finished log has a last event
	if err != nil || number > lastSegment || !hasWriter || !hasLines || !validLines(lines) || isEmpty {
		return nil, fmt.Errorf("%w: %q", errForeign, it.Sort)
	}
	return &segment{number: number, writer: writer, lines: []byte(lines), final: final}, nil
}

// validLines reports whether every line ends and none is empty.
func validLines(lines string) bool {
	return lines == "" || strings.HasSuffix(lines, "\n") && lines[0] != '\n' && !strings.Contains(lines, "\n\n")
}

// events yields the index and the line of each event.
func (s *segment) events() iter.Seq2[int, []byte] {
	return func(yield func(int, []byte) bool) {
		rest := s.lines
		for i := 0; len(rest) > 0; i++ {
			line, after, _ := bytes.Cut(rest, []byte("\n"))
			if rest = after; !yield(i, line[:len(line):len(line)]) {
				return
			}
		}
	}
}

// count returns the number of events.
func (s *segment) count() int { return bytes.Count(s.lines, []byte("\n")) }
