package bolt

import (
	"encoding/json"
	"fmt"

	"github.com/carrel-go/carrel/scope/table"
)

// stored is the JSON of a row. The key contains the partition and the sort key, and the
// expiry precedes the JSON.
type stored struct {
	Version int64           `json:"version"`
	Index   [3][2]string    `json:"index"`
	Attr    json.RawMessage `json:"attr"` // see [table.EncodeAttr]
}

func encodeRow(r table.Row) ([]byte, error) {
	attr, err := table.EncodeAttr(r.Attr)
	if err != nil {
		return nil, fmt.Errorf("bolt: encode %q: %w", r.Sort, err)
	}
	b, err := json.Marshal(stored{Version: r.Version, Index: r.Index, Attr: attr})
	if err != nil {
		return nil, fmt.Errorf("bolt: encode %q: %w", r.Sort, err)
	}
	return append(encodeExpiry(r.Expires), b...), nil
}

func decodeRow(partition, sort string, b []byte) (table.Row, error) {
	r := table.Row{Partition: partition, Sort: sort}
	var err error
	if r.Expires, err = decodeExpiry(b); err != nil {
		return table.Row{}, err
	}
	var s stored
	if err := json.Unmarshal(b[expirySize:], &s); err != nil {
		return table.Row{}, fmt.Errorf("bolt: decode %q: %w", sort, err)
	}
	r.Version, r.Index = s.Version, s.Index
	if r.Attr, err = table.DecodeAttr(s.Attr); err != nil {
		return table.Row{}, fmt.Errorf("bolt: decode %q: %w", sort, err)
	}
	return r, nil
}
