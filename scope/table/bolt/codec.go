package bolt

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/carrel-go/carrel/scope/table"
)

// stored is a row's JSON. Partition and sort are in the key, the expiry stands before it.
type stored struct {
	Version int64            `json:"version"`
	Index   [3][2]string     `json:"index"`
	Attr    map[string]value `json:"attr"`
}

// value is an attribute in JSON: exactly one field is set, and its name says
// the type, so that an integral float64 comes back as what it was.
type value struct {
	Null   bool              `json:"null,omitempty"`
	String *string           `json:"s,omitempty"`
	Bool   *bool             `json:"bool,omitempty"`
	Int    *int64            `json:"int,omitempty"`
	Float  *float64          `json:"float,omitempty"`
	Bytes  *[]byte           `json:"bytes,omitempty"` // base64
	List   *[]value          `json:"list,omitempty"`
	Map    *map[string]value `json:"map,omitempty"`
}

func encodeRow(r table.Row) ([]byte, error) {
	s := stored{Version: r.Version, Index: r.Index}
	var err error
	if s.Attr, err = encodeMap(r.Attr); err != nil {
		return nil, err
	}
	b, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("bolt: encode %q: %w", r.Sort, err)
	}
	return append(encodeExpiry(r.Expires), b...), nil
}

func decodeRow(partition, sort string, b []byte) (table.Row, error) {
	r := table.Row{Partition: partition, Sort: sort}
	var err error
	if r.Expires, err = expiry(b); err != nil {
		return table.Row{}, err
	}
	var s stored
	if err := json.Unmarshal(b[expirySize:], &s); err != nil {
		return table.Row{}, fmt.Errorf("bolt: decode %q: %w", sort, err)
	}
	r.Version, r.Index = s.Version, s.Index
	if r.Attr, err = decodeMap(s.Attr); err != nil {
		return table.Row{}, fmt.Errorf("bolt: decode %q: %w", sort, err)
	}
	return r, nil
}

func encodeMap(m map[string]table.Value) (map[string]value, error) {
	out := make(map[string]value, len(m))
	for name, v := range m {
		e, err := encode(v)
		if err != nil {
			return nil, err
		}
		out[name] = e
	}
	return out, nil
}

func encode(v table.Value) (value, error) {
	switch v := v.(type) {
	case nil:
		return value{Null: true}, nil
	case string:
		return value{String: &v}, nil
	case bool:
		return value{Bool: &v}, nil
	case int64:
		return value{Int: &v}, nil
	case float64:
		return value{Float: &v}, nil
	case []byte:
		return value{Bytes: &v}, nil
	case []table.Value:
		list := make([]value, len(v))
		for i, e := range v {
			var err error
			if list[i], err = encode(e); err != nil {
				return value{}, err
			}
		}
		return value{List: &list}, nil
	case map[string]table.Value:
		m, err := encodeMap(v)
		return value{Map: &m}, err
	}
	return value{}, fmt.Errorf("bolt: a %T is no Value", v)
}

func decodeMap(m map[string]value) (map[string]table.Value, error) {
	out := make(map[string]table.Value, len(m))
	for name, v := range m {
		e, err := v.decode()
		if err != nil {
			return nil, fmt.Errorf("%q: %w", name, err)
		}
		out[name] = e
	}
	return out, nil
}

func (v value) decode() (table.Value, error) {
	switch {
	case v.Null:
		return nil, nil
	case v.String != nil:
		return *v.String, nil
	case v.Bool != nil:
		return *v.Bool, nil
	case v.Int != nil:
		return *v.Int, nil
	case v.Float != nil:
		return *v.Float, nil
	case v.Bytes != nil:
		return *v.Bytes, nil
	case v.List != nil:
		list := make([]table.Value, len(*v.List))
		for i, e := range *v.List {
			var err error
			if list[i], err = e.decode(); err != nil {
				return nil, err
			}
		}
		return list, nil
	case v.Map != nil:
		return decodeMap(*v.Map)
	}
	return nil, errors.New("a value without a type")
}
