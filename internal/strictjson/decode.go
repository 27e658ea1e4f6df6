package strictjson

import (
	"bytes"
	"encoding"
	"encoding/json"
	"reflect"
	"strings"
	"sync"
)

// Decode reads one JSON value into the value that into points to, by the rules of encoding/json, but a name must be
// that of a field in every letter, its case included. It returns an [*Error] if b is not valid or does not fit; a part
// of into may then have been written. Values of types with UnmarshalJSON or UnmarshalText decide for themselves.
func Decode(b []byte, into any) error {
	v, err := Parse(b)
	if err != nil {
		return err
	}
	return v.Decode(into)
}

// Decode is [Decode] for a value that has been parsed.
func (v Value) Decode(into any) error {
	if err := v.checkNames(shapeOf(reflect.TypeOf(into))); err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(v.Raw()))
	d.DisallowUnknownFields() // of two fields that hide each other, for example
	if err := d.Decode(into); err != nil {
		return &Error{Kind: Mismatch, detail: err.Error(), err: err}
	}
	return nil
}

// shape is the names that a Go type takes: those of a struct's fields, or below the elements of a list or map.
type shape struct {
	fields   map[string]reflect.Type
	elements reflect.Type
}

// checkNames returns an Unknown for a name in v that s does not have.
func (v Value) checkNames(s *shape) error {
	if s == nil {
		return nil
	}
	step := 0 // from a child to its value: in an object the name comes first
	switch v.Type() {
	case Array:
	case Object:
		step = 1
	default:
		return nil
	}
	nodes := v.doc.nodes
	for n := v.n + 1; n < int(nodes[v.n].next); n = int(nodes[n+step].next) {
		t := s.elements
		if step == 1 && s.fields != nil {
			var ok bool
			if t, ok = s.fields[string(Value{v.doc, n}.decodeText())]; !ok {
				return &Error{Kind: Unknown, Name: Value{v.doc, n}.Text()}
			}
		}
		if t == nil {
			continue
		}
		if err := (Value{v.doc, n + step}).checkNames(shapeOf(t)); err != nil {
			return err
		}
	}
	return nil
}

var (
	unmarshaler     = reflect.TypeFor[json.Unmarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()

	shapes sync.Map // reflect.Type to *shape
)

// shapeOf returns the shape of t, nil if it takes any name or none.
func shapeOf(t reflect.Type) *shape {
	if known, ok := shapes.Load(t); ok {
		return known.(*shape)
	}
	known, _ := shapes.LoadOrStore(t, newShape(t))
	return known.(*shape)
}

func newShape(t reflect.Type) *shape {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if p := reflect.PointerTo(t); p.Implements(unmarshaler) || p.Implements(textUnmarshaler) {
		return nil
	}
	switch t.Kind() {
	case reflect.Slice, reflect.Array, reflect.Map:
		return &shape{elements: t.Elem()}
	case reflect.Struct:
		return &shape{fields: fieldTypes(t)}
	}
	return nil
}

// fieldTypes returns the types of a struct's fields, embedded ones included, by their JSON names.
func fieldTypes(t reflect.Type) map[string]reflect.Type {
	fields := map[string]reflect.Type{}
	for _, f := range reflect.VisibleFields(t) {
		tag := f.Tag.Get("json")
		name, _, _ := strings.Cut(tag, ",")
		if !f.IsExported() || tag == "-" || f.Anonymous && name == "" {
			continue
		}
		if name == "" {
			name = f.Name
		}
		fields[name] = f.Type
	}
	return fields
}
