package tools

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"
)

// checkType refuses Go types that encoding/json reads in another form than the inferred schema says, or that could
// carry any name at all. t has no cycle: inference has refused those.
func checkType(t reflect.Type, path string) error {
	if t.Kind() == reflect.Pointer {
		if k := t.Elem().Kind(); k == reflect.Slice || k == reflect.Array || k == reflect.Pointer {
			return fmt.Errorf("%s%v: use a slice with omitempty", at(path), t)
		}
		return checkType(t.Elem(), path)
	}
	if t == reflect.TypeFor[time.Time]() {
		return nil // a string both ways
	}
	p := reflect.PointerTo(t)
	if p.Implements(reflect.TypeFor[json.Unmarshaler]()) {
		return fmt.Errorf("%s%v reads its own JSON, so its schema is unknown", at(path), t)
	}
	if t.Kind() != reflect.String && p.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return fmt.Errorf("%s%v reads its own text, so its schema is unknown", at(path), t)
	}
	switch t.Kind() {
	case reflect.Interface:
		return fmt.Errorf("%s%v may be anything, so it is an open map too", at(path), t)
	case reflect.Map:
		return fmt.Errorf("%s%v is an open map: it could carry any name", at(path), t)
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return fmt.Errorf("%s%v is base64 in JSON; a model has no use for that", at(path), t)
		}
		return checkType(t.Elem(), path+"[]")
	case reflect.Array:
		return checkType(t.Elem(), path+"[]")
	case reflect.Struct:
		return checkFields(t, path, map[string]bool{})
	}
	return nil
}

// checkFields checks the fields of the struct t; names are those that have been seen in it, embedded structs
// included: JSON names as they are, Go names after "Go ".
func checkFields(t reflect.Type, path string, names map[string]bool) error {
	for f := range t.Fields() {
		// Where a field hides one of an embedded struct by its Go name alone, inference and encoding/json differ.
		if names["Go "+f.Name] {
			return fmt.Errorf("%s%s hides a field of an embedded struct, or is hidden", at(path), f.Name)
		}
		names["Go "+f.Name] = true
		tag := f.Tag.Get("json")
		if tag == "-" {
			continue
		}
		name, opts, _ := strings.Cut(tag, ",")
		if f.Anonymous {
			if name != "" || f.Type.Kind() != reflect.Struct {
				return fmt.Errorf("%s%s is embedded: only a struct without a json name may be", at(path), f.Name)
			}
			if f.Type == reflect.TypeFor[time.Time]() {
				return fmt.Errorf("%stime.Time is embedded", at(path))
			}
			if err := checkFields(f.Type, path, names); err != nil {
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
		here := join(path, name)
		if names[name] {
			return fmt.Errorf("%stwo fields have this name", at(here))
		}
		names[name] = true
		for o := range strings.SplitSeq(opts, ",") {
			if o == "string" {
				return fmt.Errorf("%sthe json option \"string\" is not what the schema says", at(here))
			}
		}
		if err := checkType(f.Type, here); err != nil {
			return err
		}
	}
	return nil
}
