package table

import (
	"encoding/json"
	"errors"
	"fmt"
)

// jsonValue is the JSON of a [Value]. Exactly one field is set. Its name is the type, so
// that 5 and 5.0 differ.
type jsonValue struct {
	Null   bool                  `json:"null,omitempty"`
	String *string               `json:"s,omitempty"`
	Bool   *bool                 `json:"bool,omitempty"`
	Int    *int64                `json:"int,omitempty"`
	Float  *float64              `json:"float,omitempty"`
	Bytes  *[]byte               `json:"bytes,omitempty"` // base64
	List   *[]jsonValue          `json:"list,omitempty"`
	Map    *map[string]jsonValue `json:"map,omitempty"`
}

// EncodeAttr encodes attributes as JSON that keeps their types, for a [Driver] whose
// store does not have such types. The format is stable: [DecodeAttr] of a later version
// reads it. For example, {"n": int64(5), "f": 5.0} is
//
//	{"f":{"float":5},"n":{"int":5}}
//
// The other types are null, s (string), bool, bytes (base64), list and map.
func EncodeAttr(attr map[string]Value) ([]byte, error) {
	b, err := appendMap(nil, attr)
	if err != nil {
		return nil, fmt.Errorf("table: encode: %w", err)
	}
	return b, nil
}

// DecodeAttr is the inverse of [EncodeAttr]. It returns an empty slice or map for a nil one.
func DecodeAttr(b []byte) (map[string]Value, error) {
	var m map[string]jsonValue
	if err := json.Unmarshal(b, &m); err != nil {
		return nil, fmt.Errorf("table: decode: %w", err)
	}
	attr, err := decodeMap(m)
	if err != nil {
		return nil, fmt.Errorf("table: decode: %w", err)
	}
	return attr, nil
}

func decodeMap(m map[string]jsonValue) (map[string]Value, error) {
	out := make(map[string]Value, len(m))
	for name, v := range m {
		e, err := v.decode()
		if err != nil {
			return nil, fmt.Errorf("%q: %w", name, err)
		}
		out[name] = e
	}
	return out, nil
}

func (v jsonValue) decode() (Value, error) {
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
		list := make([]Value, len(*v.List))
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
	return nil, errors.New("a value does not have a type")
}
