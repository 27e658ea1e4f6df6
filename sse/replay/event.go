package replay

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/carrel-go/carrel/sse"
)

// Event is one event of a log.
type Event struct {
	// ID is the place of the event in its log: 12 digits, a dot and 4 digits.
	ID string
	// Data is a JSON object on one line whose first member is "type". It must not be changed.
	Data json.RawMessage
}

// typePrefix is how the data of every event begins.
var typePrefix = []byte(`{"type":"`)

// Type returns the member type of the event's data.
func (e Event) Type() string { return eventType(e.Data) }

func eventType(data []byte) string {
	rest, ok := bytes.CutPrefix(data, typePrefix)
	if !ok {
		return ""
	}
	end := bytes.IndexByte(rest, '"')
	if end < 0 {
		return ""
	}
	return string(rest[:end])
}

// checkData returns the event's data on one line.
func checkData(data json.RawMessage) (json.RawMessage, error) {
	if !json.Valid(data) || !utf8.Valid(data) { // json.Valid accepts strings that are not UTF-8
		return nil, fmt.Errorf("%w: the event is not valid JSON in UTF-8", ErrInvalid)
	}
	if bytes.IndexByte(data, '\n') >= 0 || bytes.IndexByte(data, '\r') >= 0 || !bytes.HasPrefix(data, typePrefix) {
		var b bytes.Buffer
		if err := json.Compact(&b, data); err != nil {
			return nil, err
		}
		data = b.Bytes()
	}
	if eventType(data) == "" {
		return nil, fmt.Errorf(`%w: the event must begin with a type, for example {"type":"text_delta",…}`, ErrInvalid)
	}
	return data, nil
}

// place is where an event stands in its log.
type place struct {
	segment int64 // from 1
	index   int   // from 0
}

const (
	segmentDigits = 12
	indexDigits   = 4
	maxEvents     = 1000            // of a segment
	lastSegment   = 999_999_999_998 // the greatest number of a segment that another one can follow
)

// String returns the id of the event.
func (p place) String() string {
	b := make([]byte, segmentDigits+1+indexDigits)
	writeDigits(b[:segmentDigits], p.segment)
	b[segmentDigits] = '.'
	writeDigits(b[segmentDigits+1:], int64(p.index))
	return string(b)
}

func writeDigits(b []byte, n int64) {
	for i := len(b) - 1; i >= 0; i-- {
		b[i] = byte('0' + n%10)
		n /= 10
	}
}

// parsePlace is the exact inverse of place.String.
func parsePlace(id string) (place, error) {
	segment, index, ok := strings.Cut(id, ".")
	s, errS := parseDigits(segment, segmentDigits)
	i, errI := parseDigits(index, indexDigits)
	if !ok || errS != nil || errI != nil || s == 0 {
		return place{}, fmt.Errorf("replay: %w %.40q", sse.ErrUnknownID, id)
	}
	return place{s, int(i)}, nil
}

func parseDigits(s string, digits int) (n int64, _ error) {
	if len(s) != digits {
		return 0, sse.ErrUnknownID
	}
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0, sse.ErrUnknownID
		}
		n = 10*n + int64(c-'0')
	}
	return n, nil
}

// retractType is the type of the event that takes earlier ones back.
const retractType = "retract"

// Retract returns the events without those that were taken back: for an event {"type":"retract","after":id} it drops
// all events before it whose id is greater than id, and the event itself. An empty id drops all of them. The result
// uses the memory of events.
func Retract(events []Event) ([]Event, error) {
	kept := events[:0]
	for _, e := range events {
		if e.Type() != retractType {
			kept = append(kept, e)
			continue
		}
		after, err := retractedAfter(e)
		if err != nil {
			return nil, err
		}
		for len(kept) > 0 && kept[len(kept)-1].ID > after {
			kept = kept[:len(kept)-1]
		}
	}
	return kept, nil
}

func retractedAfter(e Event) (string, error) {
	var r struct {
		After string `json:"after"`
	}
	if err := json.Unmarshal(e.Data, &r); err != nil {
		return "", fmt.Errorf("replay: event %s: %w", e.ID, err)
	}
	return r.After, nil
}
