package sse

import (
	"bytes"
	"strings"
)

// Event is one server-sent event.
type Event struct {
	// ID is what a client sends back as Last-Event-ID; where it is empty, the
	// client's last id stays as it was. No CR, LF or NUL.
	ID string
	// Name is the event's type; empty means "message". No CR, LF or NUL.
	Name string
	// Data is the payload. Each CR, LF or CRLF in it ends a line, and a
	// client sees LF in its place. Empty Data is an event with empty data.
	Data []byte
}

// append adds the event in wire form to b.
func (e *Event) append(b []byte) ([]byte, error) {
	if strings.ContainsAny(e.ID, "\r\n\x00") || strings.ContainsAny(e.Name, "\r\n\x00") {
		return b, ErrField
	}
	if e.Name != "" {
		b = append(b, "event: "...)
		b = append(b, e.Name...)
		b = append(b, '\n')
	}
	for data, more := e.Data, true; more; {
		line := data
		i := bytes.IndexAny(data, "\r\n")
		if more = i >= 0; more {
			line = data[:i]
			if data[i] == '\r' && i+1 < len(data) && data[i+1] == '\n' {
				i++
			}
			data = data[i+1:]
		}
		b = append(b, "data: "...)
		b = append(b, line...)
		b = append(b, '\n')
	}
	if e.ID != "" {
		b = append(b, "id: "...)
		b = append(b, e.ID...)
		b = append(b, '\n')
	}
	return append(b, '\n'), nil
}
