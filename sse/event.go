package sse

import "bytes"

// Event is a server-sent event.
type Event struct {
	// ID identifies the event's place in the stream. A client sends it back as Last-Event-ID. A Writer omits an empty
	// ID, and the client keeps its last one; a reader returns the last one. ID must not contain CR, LF or NUL.
	ID string
	// Name is the event's type. Empty means "message". Name must not contain CR, LF or NUL.
	Name string
	// Data is the payload, in UTF-8. Each CR, LF or CRLF ends a line, and readers return LF for it. An event with
	// empty Data is sent and dispatched like any other.
	Data []byte
}

// appendTo appends the event in wire form to b. The id is the last field, since some clients use an id as soon as its
// line is complete.
func (e *Event) appendTo(b []byte) ([]byte, error) {
	if breaksField(e.ID) || breaksField(e.Name) {
		return b, ErrField
	}
	if e.Name != "" {
		b = appendField(b, "event: ", e.Name)
	}
	b = appendData(b, e.Data)
	if e.ID != "" {
		b = appendField(b, "id: ", e.ID)
	}
	return append(b, '\n'), nil
}

// breaksField reports whether s contains a character that ends a field or voids an id.
func breaksField(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= '\r' && (c == '\r' || c == '\n' || c == 0) {
			return true
		}
	}
	return false
}

// appendData appends one data field for each line of data. It looks at each byte of data once for either line end.
func appendData(b, data []byte) []byte {
	lf, cr := bytes.IndexByte(data, '\n'), bytes.IndexByte(data, '\r')
	for lf >= 0 || cr >= 0 {
		end := lf
		if lf < 0 || cr >= 0 && cr < lf {
			end = cr
		}
		b = appendField(b, "data: ", data[:end])
		next := end + 1
		if end == cr && lf == next {
			next++
		}
		data = data[next:]
		lf, cr = nextIndex(data, lf, next, '\n'), nextIndex(data, cr, next, '\r')
	}
	return appendField(b, "data: ", data)
}

func appendField[T string | []byte](b []byte, name string, value T) []byte {
	b = append(b, name...)
	b = append(b, value...)
	return append(b, '\n')
}

// nextIndex returns the index of c in data after n bytes were removed from its front. The index was i before.
func nextIndex(data []byte, i, n int, c byte) int {
	if i < 0 || i >= n {
		return max(i-n, -1)
	}
	return bytes.IndexByte(data, c)
}
