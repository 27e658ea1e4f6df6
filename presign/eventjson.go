package presign

import (
	"encoding/json"

	"github.com/carrel-go/carrel/internal/strictjson"
)

// members is a JSON object. Its values are members, []any, string, json.Number, bool and nil.
type members map[string]any

// parseJSON reads one JSON object by the rules of strictjson.
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
		m[name] = goValue(value)
	}
	return m
}

func goValue(v strictjson.Value) any {
	switch v.Type() {
	case strictjson.Object:
		return objectMembers(v)
	case strictjson.Array:
		list := make([]any, 0, v.Len())
		for item := range v.Items() {
			list = append(list, goValue(item))
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

// reading keeps the first error of a series of reads.
type reading struct{ err error }

func (r *reading) fail(name string) {
	if r.err == nil {
		r.err = event("member %q is missing or of another type", name)
	}
}

func (r *reading) object(m members, name string) members {
	o, ok := m[name].(members)
	if !ok {
		r.fail(name)
	}
	return o
}

// text wants a string that is not empty.
func (r *reading) text(m members, name string) string {
	s, ok := m[name].(string)
	if !ok || s == "" {
		r.fail(name)
	}
	return s
}

// maybe reads a string that may be missing, null or empty.
func (r *reading) maybe(m members, name string) string {
	switch v := m[name].(type) {
	case nil:
	case string:
		return v
	default:
		r.fail(name)
	}
	return ""
}

// size wants a number of bytes.
func (r *reading) size(m members) int64 {
	n, _ := m["size"].(json.Number)
	size, err := n.Int64()
	if err != nil || size < 0 {
		r.fail("size")
	}
	return size
}
