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
	if err := checkNames(v, reflect.TypeOf(into)); err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields() // of two fields that hide each other, for example
	if err := d.Decode(into); err != nil {
		return &Error{Kind: Mismatch, detail: err.Error(), err: err}
	}
	return nil
}

// checkNames returns an Unknown for a name in v that t does not have.
func checkNames(v Value, t reflect.Type) error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if decodesItself(t) {
		return nil
	}
	switch t.Kind() {
	case reflect.Slice, reflect.Array:
		for item := range v.Items() {
			if err := checkNames(item, t.Elem()); err != nil {
				return err
			}
		}
	case reflect.Map:
		for _, value := range v.Members() {
			if err := checkNames(value, t.Elem()); err != nil {
				return err
			}
		}
	case reflect.Struct:
		fields := fieldsOf(t)
		for name, value := range v.Members() {
			field, ok := fields[name]
			if !ok {
				return &Error{Kind: Unknown, Name: name}
			}
			if err := checkNames(value, field); err != nil {
				return err
			}
		}
	}
	return nil
}

var (
	unmarshaler     = reflect.TypeFor[json.Unmarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
)

func decodesItself(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(unmarshaler) || p.Implements(textUnmarshaler)
}

var fieldCache sync.Map // reflect.Type to map[string]reflect.Type

// fieldsOf returns the types of a struct's fields, embedded ones included, by their JSON names.
func fieldsOf(t reflect.Type) map[string]reflect.Type {
	if known, ok := fieldCache.Load(t); ok {
		return known.(map[string]reflect.Type)
	}
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
	known, _ := fieldCache.LoadOrStore(t, fields)
	return known.(map[string]reflect.Type)
}
