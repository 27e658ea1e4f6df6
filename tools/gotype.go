package tools

import (
	"cmp"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
)

// schemaBuilder brings the inferred schema of a Go type into the documented form. It rejects types whose JSON differs
// from the schema, types that accept any property name, and reserved names.
type schemaBuilder struct {
	constraints
	allow []string // names that are accepted although they contain a reserved word
}

// build completes s, the inferred schema of t, in place. path is the path of s, for errors. Inference has rejected
// cyclic types before.
//
// The keywords of the result are type (one per property), properties, required (without pointers), additionalProperties
// (false), items, description, enum, minimum, maximum, minLength, maxLength, minItems, maxItems, pattern and format.
// Converse accepts all of them in the schema of a tool that is not strict.
func (b *schemaBuilder) build(t reflect.Type, s *jsonschema.Schema, path string) error {
	if t.Kind() == reflect.Pointer {
		if k := t.Elem().Kind(); k == reflect.Slice || k == reflect.Array || k == reflect.Pointer {
			return fmt.Errorf("%s%v: use a slice with omitempty", pathPrefix(path), t)
		}
		t = t.Elem()
	}
	if s.Types = slices.DeleteFunc(s.Types, func(t string) bool { return t == "null" }); len(s.Types) == 1 {
		s.Type, s.Types = s.Types[0], nil
	}
	if t == reflect.TypeFor[time.Time]() {
		s.Format = "date-time"
		return nil
	}
	if err := checkType(t); err != nil {
		return fmt.Errorf("%s%v %w", pathPrefix(path), t, err)
	}
	switch {
	case t.Kind() == reflect.Slice, t.Kind() == reflect.Array:
		return b.build(t.Elem(), s.Items, path+"[]")
	case t.Kind() == reflect.Struct:
		return b.buildProperties(t, s, path)
	case isNumber(t), isRuledText(t):
		b.types[s] = t
	}
	return nil
}

// checkType returns an error if no values of t, or not only those of the inferred schema, can be decoded.
func checkType(t reflect.Type) error {
	p := reflect.PointerTo(t)
	switch {
	case p.Implements(reflect.TypeFor[json.Unmarshaler]()):
		return errors.New("has UnmarshalJSON, so its schema is unknown")
	case t.Kind() != reflect.String && p.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()):
		return errors.New("has UnmarshalText, so its schema is unknown")
	case t.Kind() == reflect.Interface:
		return errors.New("accepts any value, so it accepts any name")
	case t.Kind() == reflect.Map:
		return errors.New("is an open map, which accepts any name")
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8:
		return errors.New("is base64 in JSON, which models do not write: use a string")
	}
	return nil
}

// isRuledText reports whether t is a string type with UnmarshalText, which may reject a text.
func isRuledText(t reflect.Type) bool {
	return t.Kind() == reflect.String && reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// buildProperties completes the properties of s for the fields of the struct t.
func (b *schemaBuilder) buildProperties(t reflect.Type, s *jsonschema.Schema, path string) error {
	fields, err := listArguments(t, path, map[string]bool{})
	if err != nil {
		return err
	}
	if s.Properties == nil {
		s.Properties = map[string]*jsonschema.Schema{}
	}
	for _, f := range fields {
		name, p := propertyOf(f), s.Properties[propertyOf(f)]
		here := joinPath(path, name)
		if err := checkName(name, b.allow); err != nil {
			return fmt.Errorf("%s%w", pathPrefix(here), err)
		}
		if f.Type.Kind() == reflect.Pointer {
			s.Required = slices.DeleteFunc(s.Required, func(r string) bool { return r == name })
		}
		if err := b.build(f.Type, p, here); err != nil {
			return err
		}
		if err := b.applyTags(f.Tag, p); err != nil {
			return fmt.Errorf("%s%w", pathPrefix(here), err)
		}
	}
	return nil
}

// propertyOf returns the JSON name of a field.
func propertyOf(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return cmp.Or(name, f.Name)
}

// listArguments returns the fields of the struct t, and of those that it embeds, that are arguments. It rejects fields
// whose JSON differs from the schema. seen holds the names of the fields before them: JSON names, and Go names after
// "Go ".
func listArguments(t reflect.Type, path string, seen map[string]bool) (out []reflect.StructField, err error) {
	for f := range t.Fields() {
		// Inference and encoding/json differ if a field hides one of an embedded struct by its Go name alone.
		if seen["Go "+f.Name] {
			return nil, fmt.Errorf("%s%s hides a field of an embedded struct, or is hidden by one", pathPrefix(path), f.Name)
		}
		seen["Go "+f.Name] = true
		tag, name := f.Tag.Get("json"), propertyOf(f)
		_, options, _ := strings.Cut(tag, ",")
		isArgument := f.IsExported() && !f.Anonymous && tag != "-"
		switch names := findTags(f.Tag); {
		case !isArgument && len(names) > 0:
			return nil, fmt.Errorf("%sthe tag %q does not apply: the field is not an argument",
				pathPrefix(joinPath(path, f.Name)), names[0])
		case f.Anonymous && tag != "-":
			if name != f.Name || f.Type.Kind() != reflect.Struct || f.Type == reflect.TypeFor[time.Time]() {
				return nil, fmt.Errorf("%s%s is embedded: only a struct without a json name, and not time.Time, may be",
					pathPrefix(path), f.Name)
			}
			embedded, err := listArguments(f.Type, path, seen)
			if err != nil {
				return nil, err
			}
			out = append(out, embedded...)
		case !isArgument:
		case seen[name]:
			return nil, fmt.Errorf("%stwo fields have this name", pathPrefix(joinPath(path, name)))
		case slices.Contains(strings.Split(options, ","), "string"):
			return nil, fmt.Errorf("%sthe json option \"string\" does not agree with the schema",
				pathPrefix(joinPath(path, name)))
		default:
			seen[name] = true
			out = append(out, f)
		}
	}
	return out, nil
}
