package presign

import (
	"encoding/json"

	"github.com/carrel-go/carrel/internal/strictjson"
)

// members is a JSON object. Its values are members, []any, string, json.Number, bool and nil.
type members map[string]any

// parseJSON parses one JSON object by the rules of strictjson.
func parseJSON(raw []byte) (members, error) {
	v, err := strictjson.ParseObject(raw)
	if err != nil {
		return nil, err
	}
	return objectMembers(v), nil
}

func objectMembers(v strictjson.Value) members {
	m := make(members, v.Len())
	for name, value := range v.Members() {
		m[name] = toGoValue(value)
	}
	return m
}

func toGoValue(v strictjson.Value) any {
	switch v.Type() {
	case strictjson.Object:
		return objectMembers(v)
	case strictjson.Array:
		list := make([]any, 0, v.Len())
		for item := range v.Items() {
			list = append(list, toGoValue(item))
		}
		return list
	case strictjson.String:
		return v.Text()
	case strictjson.Number:
		return json.Number(v.Raw())
	case strictjson.Boolean:
		return string(v.Raw()) == "true"
	}
	return nil
}

// memberReader reads members and keeps the first error.
type memberReader struct{ err error }

func (r *memberReader) fail(name string) {
	if r.err == nil {
		r.err = eventf("member %q is missing or of another type", name)
	}
}

func (r *memberReader) requireObject(m members, name string) members {
	o, ok := m[name].(members)
	if !ok {
		r.fail(name)
	}
	return o
}

// requireText reads a string that must not be empty.
func (r *memberReader) requireText(m members, name string) string {
	s, ok := m[name].(string)
	if !ok || s == "" {
		r.fail(name)
	}
	return s
}

// optionalText reads a string that may be missing, null or empty.
func (r *memberReader) optionalText(m members, name string) string {
	switch v := m[name].(type) {
	case nil:
	case string:
		return v
	default:
		r.fail(name)
	}
	return ""
}

// requireSize reads the member "size", a number of bytes.
func (r *memberReader) requireSize(m members) int64 {
	n, _ := m["size"].(json.Number)
	size, err := n.Int64()
	if err != nil || size < 0 {
		r.fail("size")
	}
	return size
}
