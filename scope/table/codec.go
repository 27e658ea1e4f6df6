package table

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"

	"github.com/carrel-go/carrel/internal/strictjson"
)

// AppendAttr appends attributes to b as JSON that keeps their types, for a [Driver] whose
// store does not have such types. It returns the extended slice, or nil with an error. The
// format is stable: [DecodeAttr] of a later version reads it. For example, {"n": int64(5), "f": 5.0} is
//
//	{"f":{"float":5},"n":{"int":5}}
//
// The other types are null, s (string), bool, bytes (base64), list and map.
func AppendAttr(b []byte, attr map[string]Value) ([]byte, error) {
	b, err := appendMap(b, attr)
	if err != nil {
		return nil, fmt.Errorf("table: encode: %w", err)
	}
	return b, nil
}

// DecodeAttr is the inverse of [AppendAttr]. It returns an empty slice or map for a nil one.
func DecodeAttr(b []byte) (map[string]Value, error) {
	v, err := strictjson.ParseEnvelope(b)
	if err != nil {
		return nil, fmt.Errorf("table: decode: %w", err)
	}
	attr, err := decodeMap(v)
	if err != nil {
		return nil, fmt.Errorf("table: decode: %w", err)
	}
	return attr, nil
}

func decodeMap(v strictjson.Value) (map[string]Value, error) {
	out := make(map[string]Value, v.Len())
	for name, typed := range v.Members() {
		e, err := decodeValue(typed)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", name, err)
		}
		out[name] = e
	}
	return out, nil
}

func decodeList(v strictjson.Value) ([]Value, error) {
	list := make([]Value, 0, v.Len())
	for typed := range v.Items() {
		e, err := decodeValue(typed)
		if err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	return list, nil
}

var errType = errors.New("a value must be an object with its type and content")

// decodeValue decodes an object of one member, whose name is the type. So 5 and 5.0 differ.
func decodeValue(typed strictjson.Value) (Value, error) {
	for name, v := range typed.Members() {
		switch want := jsonTypes[name]; {
		case typed.Len() != 1, want == "", v.Type() != want:
			return nil, errType
		}
		switch name {
		case "s":
			return v.Text(), nil
		case "bool":
			return v.Raw()[0] == 't', nil
		case "int":
			return strconv.ParseInt(string(v.Raw()), 10, 64)
		case "float":
			return strconv.ParseFloat(string(v.Raw()), 64)
		case "bytes":
			return base64.StdEncoding.DecodeString(v.Text())
		case "list":
			return decodeList(v)
		case "map":
			return decodeMap(v)
		}
		if v.Raw()[0] == 't' { // null
			return nil, nil
		}
	}
	return nil, errType
}

// jsonTypes are the JSON types of the values of each type.
var jsonTypes = map[string]strictjson.Type{
	"null": strictjson.Boolean, "s": strictjson.String, "bool": strictjson.Boolean, "int": strictjson.Number,
	"float": strictjson.Number, "bytes": strictjson.String, "list": strictjson.Array, "map": strictjson.Object,
}
