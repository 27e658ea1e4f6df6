package bolt

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/carrel-go/carrel/scope/table"
)

// A row is stored as its expiry and then as JSON:
//
//	{"version":…,"index":…,"attr":…}
//
// The attributes are those of [table.AppendAttr]. They are encoded and decoded apart from
// the other fields, because a json.RawMessage would be parsed twice. The separator cannot
// be a part of the fields before it: in JSON strings, quotes are escaped.
type header struct {
	Version int64        `json:"version"`
	Index   [3][2]string `json:"index"`
}

const attrSeparator = `,"attr":`

// Most rows are not in an index, so their header is written and read without reflection.
const (
	headerStart = `{"version":`
	noIndex     = `,"index":[["",""],["",""],["",""]]`
)

// appendHeader appends the JSON of a header without its last brace.
func appendHeader(b []byte, h header) ([]byte, error) {
	if h.Index == ([3][2]string{}) {
		return append(strconv.AppendInt(append(b, headerStart...), h.Version, 10), noIndex...), nil
	}
	whole, err := json.Marshal(h)
	return append(b, bytes.TrimSuffix(whole, []byte("}"))...), err
}

// decodeHeader is the inverse of appendHeader.
func decodeHeader(b []byte) (h header, err error) {
	version, ok := bytes.CutSuffix(b, []byte(noIndex))
	if version, found := bytes.CutPrefix(version, []byte(headerStart)); ok && found {
		if n, err := strconv.ParseUint(string(version), 10, 63); err == nil {
			return header{Version: int64(n)}, nil
		}
	}
	return h, json.Unmarshal(append(bytes.Clone(b), '}'), &h)
}

func encodeRow(r table.Row) ([]byte, error) {
	b := append(make([]byte, 0, estimateSize(r)), encodeExpiry(r.Expires)...)
	b, err := appendHeader(b, header{Version: r.Version, Index: r.Index})
	if err == nil {
		b, err = table.AppendAttr(append(b, attrSeparator...), r.Attr)
	}
	if err != nil {
		return nil, fmt.Errorf("bolt: encode %q: %w", r.Sort, err)
	}
	return append(b, '}'), nil
}

// estimateSize returns about how many bytes a row takes, so that its encoding seldom has to grow.
func estimateSize(r table.Row) int {
	size := 128 + estimateValue(r.Attr)
	for _, x := range r.Index {
		size += len(x[0]) + len(x[1])
	}
	return size
}

func estimateValue(v table.Value) int {
	size := 24
	switch v := v.(type) {
	case string:
		size += len(v) + len(v)/4 // with escapes
	case []byte:
		size += base64.StdEncoding.EncodedLen(len(v))
	case []table.Value:
		for _, e := range v {
			size += estimateValue(e)
		}
	case map[string]table.Value:
		for name, e := range v {
			size += len(name) + estimateValue(e)
		}
	}
	return size
}

func decodeRow(partition, sort string, b []byte) (table.Row, error) {
	r, attr, err := decodeBareRow(partition, sort, b)
	if err != nil {
		return table.Row{}, err
	}
	if r.Attr, err = decodeAttr(sort, attr); err != nil {
		return table.Row{}, err
	}
	return r, nil
}

// decodeBareRow decodes a row without its attributes, which it returns encoded.
func decodeBareRow(partition, sort string, b []byte) (_ table.Row, attr []byte, err error) {
	r := table.Row{Partition: partition, Sort: sort}
	if r.Expires, err = decodeExpiry(b); err != nil {
		return table.Row{}, nil, err
	}
	first, attr, ok := bytes.Cut(b[expirySize:], []byte(attrSeparator))
	attr, closed := bytes.CutSuffix(attr, []byte("}"))
	if !ok || !closed {
		return table.Row{}, nil, fmt.Errorf("bolt: decode %q: damaged row", sort)
	}
	h, err := decodeHeader(first)
	if err != nil {
		return table.Row{}, nil, fmt.Errorf("bolt: decode %q: %w", sort, err)
	}
	r.Version, r.Index = h.Version, h.Index
	return r, attr, nil
}

func decodeAttr(sort string, b []byte) (map[string]table.Value, error) {
	attr, err := table.DecodeAttr(b)
	if err != nil {
		return nil, fmt.Errorf("bolt: decode %q: %w", sort, err)
	}
	return attr, nil
}
