package presign

import (
	"encoding/json"

	"github.com/carrel-go/carrel/internal/strictjson"
)

// memberReader reads the members of JSON objects and keeps the first error. After an
// error it returns zero values.
type memberReader struct{ err error }

func (r *memberReader) readMember(o strictjson.Value, name string, t strictjson.Type) strictjson.Value {
	if r.err != nil {
		return strictjson.Value{}
	}
	v, ok := o.Get(name)
	if !ok || v.Type() != t {
		r.rejectMember(name)
		return strictjson.Value{}
	}
	return v
}

func (r *memberReader) rejectMember(name string) {
	r.err = eventf("member %q is missing or of another type", name)
}

func (r *memberReader) readObject(o strictjson.Value, name string) strictjson.Value {
	return r.readMember(o, name, strictjson.Object)
}

// readText reads a string that must not be empty.
func (r *memberReader) readText(o strictjson.Value, name string) string {
	v := r.readMember(o, name, strictjson.String)
	if r.err != nil {
		return ""
	}
	s := v.Text()
	if s == "" {
		r.rejectMember(name)
	}
	return s
}

// readOptionalText reads a string that may be missing, null or empty.
func (r *memberReader) readOptionalText(o strictjson.Value, name string) string {
	if r.err != nil {
		return ""
	}
	v, ok := o.Get(name)
	switch {
	case !ok || v.Type() == strictjson.Null:
		return ""
	case v.Type() != strictjson.String:
		r.rejectMember(name)
		return ""
	}
	return v.Text()
}

// readSize reads the member "size", a number of bytes.
func (r *memberReader) readSize(o strictjson.Value) int64 {
	v := r.readMember(o, "size", strictjson.Number)
	if r.err != nil {
		return 0
	}
	n, err := json.Number(v.Raw()).Int64()
	if err != nil || n < 0 {
		r.rejectMember("size")
	}
	return n
}
