package tools

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strings"
)

// maxNilDepth is how deep results are searched for nil slices and maps. encoding/json gives up on pointers that are
// nested deeper and turn out to be a cycle.
const maxNilDepth = 1000

// fillNil returns v with empty slices and maps in place of nil ones, at any depth: a model reads [] and {} as "nothing
// found", and null as "unknown". v itself does not change. Nil pointers and interfaces stay null, and values that
// marshal themselves stay as they are.
func fillNil(v any) any {
	if v == nil || !mayHoldNil(reflect.TypeOf(v), nil) {
		return v
	}
	if s := (nilSearch{}); !s.holdsNil(reflect.ValueOf(v), 0) || s.tooDeep {
		return v
	}
	out := reflect.New(reflect.TypeOf(v)).Elem()
	out.Set(reflect.ValueOf(v))
	fill(out)
	return out.Interface()
}

var (
	marshaler     = reflect.TypeFor[json.Marshaler]()
	textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()
)

func marshalsItself(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(marshaler) || p.Implements(textMarshaler)
}

// mayHoldNil reports whether the JSON of a t may contain the null of a nil slice or map. within are the structs around.
func mayHoldNil(t reflect.Type, within []reflect.Type) bool {
	switch t.Kind() {
	case reflect.Interface:
		return true
	case reflect.Slice, reflect.Map:
		return !marshalsItself(t)
	case reflect.Pointer, reflect.Array:
		return !marshalsItself(t) && mayHoldNil(t.Elem(), within)
	case reflect.Struct:
		for _, w := range within {
			if w == t {
				return false // the struct around decides
			}
		}
		if marshalsItself(t) {
			return false
		}
		within = append(within, t)
		for f := range t.Fields() {
			if isEncoded(f) && mayHoldNil(f.Type, within) {
				return true
			}
		}
	}
	return false
}

// isEncoded reports whether encoding/json looks at the field.
func isEncoded(f reflect.StructField) bool {
	return (f.IsExported() || f.Anonymous) && f.Tag.Get("json") != "-"
}

// isOmitted reports whether encoding/json leaves out the field with this value, whether it is nil or empty.
func isOmitted(f reflect.StructField, v reflect.Value) bool {
	_, options, _ := strings.Cut(f.Tag.Get("json"), ",")
	for o := range strings.SplitSeq(options, ",") {
		switch {
		case o == "omitempty" && (v.Kind() == reflect.Slice || v.Kind() == reflect.Map) && v.Len() == 0,
			o == "omitzero" && v.IsZero():
			return true
		}
	}
	return false
}

// nilSearch looks for nil slices and maps.
type nilSearch struct{ tooDeep bool }

func (s *nilSearch) holdsNil(v reflect.Value, depth int) bool {
	if s.tooDeep = s.tooDeep || depth > maxNilDepth; s.tooDeep || !v.IsValid() {
		return false
	}
	t := v.Type()
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return !v.IsNil() && !marshalsItself(t) && s.holdsNil(v.Elem(), depth+1)
	case reflect.Slice, reflect.Array:
		if marshalsItself(t) {
			return false
		}
		if v.Kind() == reflect.Slice && v.IsNil() {
			return true
		}
		if !mayHoldNil(t.Elem(), nil) {
			return false
		}
		for i := range v.Len() {
			if s.holdsNil(v.Index(i), depth+1) {
				return true
			}
		}
	case reflect.Map:
		if marshalsItself(t) {
			return false
		}
		if v.IsNil() {
			return true
		}
		if !mayHoldNil(t.Elem(), nil) {
			return false
		}
		for it := v.MapRange(); it.Next(); {
			if s.holdsNil(it.Value(), depth+1) {
				return true
			}
		}
	case reflect.Struct:
		if marshalsItself(t) {
			return false
		}
		for i := range v.NumField() {
			if f := t.Field(i); isEncoded(f) && !isOmitted(f, v.Field(i)) && s.holdsNil(v.Field(i), depth+1) {
				return true
			}
		}
	}
	return false
}

// fill fills v in place; what v refers to is copied. holdsNil has found that v is not nested too deeply.
func fill(v reflect.Value) {
	t := v.Type()
	if marshalsItself(t) || !mayHoldNil(t, nil) {
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if f := t.Field(i); isEncoded(f) && !isOmitted(f, v.Field(i)) {
				fill(v.Field(i))
			}
		}
		return
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i))
		}
		return
	}
	if !v.CanSet() { // an embedded pointer to a struct that is not exported
		return
	}
	switch v.Kind() {
	case reflect.Slice:
		filled := reflect.MakeSlice(t, v.Len(), v.Len())
		reflect.Copy(filled, v)
		for i := range filled.Len() {
			fill(filled.Index(i))
		}
		v.Set(filled)
	case reflect.Map:
		filled := reflect.MakeMapWithSize(t, v.Len())
		for it := v.MapRange(); it.Next(); {
			filled.SetMapIndex(it.Key(), filledCopy(it.Value()))
		}
		v.Set(filled)
	case reflect.Pointer:
		if !v.IsNil() {
			v.Set(filledCopy(v.Elem()).Addr())
		}
	case reflect.Interface:
		if !v.IsNil() {
			v.Set(filledCopy(v.Elem()))
		}
	}
}

// filledCopy returns a copy of v that has been filled.
func filledCopy(v reflect.Value) reflect.Value {
	c := reflect.New(v.Type()).Elem()
	c.Set(v)
	fill(c)
	return c
}
