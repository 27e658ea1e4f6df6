package tools

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"
)

// checkType rejects Go types whose JSON differs from the inferred schema, or which accept any property name. Inference has
// rejected cyclic types before.
func checkType(t reflect.Type, path string) error {
	if t.Kind() == reflect.Pointer {
		if k := t.Elem().Kind(); k == reflect.Slice || k == reflect.Array || k == reflect.Pointer {
			return fmt.Errorf("%s%v: use a slice with omitempty", pathPrefix(path), t)
		}
		return checkType(t.Elem(), path)
	}
	if t == reflect.TypeFor[time.Time]() {
		return nil // a string in the schema and in JSON
	}
	p := reflect.PointerTo(t)
	if p.Implements(reflect.TypeFor[json.Unmarshaler]()) {
		return fmt.Errorf("%s%v has UnmarshalJSON, so its schema is unknown", pathPrefix(path), t)
	}
	if t.Kind() != reflect.String && p.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return fmt.Errorf("%s%v has UnmarshalText, so its schema is unknown", pathPrefix(path), t)
	}
	switch t.Kind() {
	case reflect.Interface:
		return fmt.Errorf("%s%v accepts any value, so it accepts any name", pathPrefix(path), t)
	case reflect.Map:
		return fmt.Errorf("%s%v is an open map, which accepts any name", pathPrefix(path), t)
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return fmt.Errorf("%s%v is base64 in JSON, which models do not write: use a string", pathPrefix(path), t)
		}
		return checkType(t.Elem(), path+"[]")
	case reflect.Array:
		return checkType(t.Elem(), path+"[]")
	case reflect.Struct:
		return checkFields(t, path, map[string]bool{})
	}
	return nil
}

// checkFields checks the fields of the struct t. seen holds the names of its earlier fields, with those of embedded
// structs: JSON names, and Go names prefixed with "Go ".
func checkFields(t reflect.Type, path string, seen map[string]bool) error {
	for f := range t.Fields() {
		// Inference and encoding/json differ if a field hides one of an embedded struct by its Go name alone.
		if seen["Go "+f.Name] {
			return fmt.Errorf("%s%s hides a field of an embedded struct, or is hidden by one", pathPrefix(path), f.Name)
		}
		seen["Go "+f.Name] = true
		tag := f.Tag.Get("json")
		if tag == "-" {
			continue
		}
		name, opts, _ := strings.Cut(tag, ",")
		if f.Anonymous {
			if name != "" || f.Type.Kind() != reflect.Struct {
				return fmt.Errorf("%s%s is embedded: only a struct without a json name may be", pathPrefix(path), f.Name)
			}
			if f.Type == reflect.TypeFor[time.Time]() {
				return fmt.Errorf("%stime.Time is embedded", pathPrefix(path))
			}
			if err := checkFields(f.Type, path, seen); err != nil {
				return err
			}
			continue
		}
		if !f.IsExported() {
			continue
		}
		if name == "" {
			name = f.Name
		}
		here := joinPath(path, name)
		if seen[name] {
			return fmt.Errorf("%stwo fields have this name", pathPrefix(here))
		}
		seen[name] = true
		for o := range strings.SplitSeq(opts, ",") {
			if o == "string" {
				return fmt.Errorf("%sthe json option \"string\" does not agree with the schema", pathPrefix(here))
			}
		}
		if err := checkType(f.Type, here); err != nil {
			return err
		}
	}
	return nil
}
