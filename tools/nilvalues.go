package tools

import (
	"encoding"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"sync"
)

// maxNilDepth limits the search for nil slices and maps in a result. At this depth encoding/json starts to look for cycles
// of pointers.
const maxNilDepth = 1000

// nilFiller replaces nil slices and maps by empty ones: a model reads [] and {} as "nothing found", and null as "unknown".
// It caches what it knows about types.
type nilFiller struct{ types sync.Map } // reflect.Type to *nilType

// nilType describes the JSON of a type.
type nilType struct {
	mayHold bool       // its JSON may contain the null of a nil slice or map
	fields  []nilField // the fields of a struct that may hold one
}

type nilField struct {
	index               int
	omitEmpty, omitZero bool
}

// fill returns v with its nil slices and maps replaced, at any depth. v itself does not change. Nil pointers and
// interfaces stay null, and values that marshal themselves stay unchanged.
func (n *nilFiller) fill(v any) any {
	if v == nil || !n.typeOf(reflect.TypeOf(v)).mayHold {
		return v
	}
	tooDeep := false
	if !n.holdsNil(reflect.ValueOf(v), 0, &tooDeep) || tooDeep {
		return v
	}
	return n.copyFilled(reflect.ValueOf(v)).Interface()
}

func (n *nilFiller) typeOf(t reflect.Type) *nilType {
	if known, ok := n.types.Load(t); ok {
		return known.(*nilType)
	}
	made := &nilType{mayHold: mayHoldNil(t, nil)}
	if made.mayHold && t.Kind() == reflect.Struct {
		for f := range t.Fields() {
			if isEncoded(f) && mayHoldNil(f.Type, nil) {
				_, options, _ := strings.Cut(f.Tag.Get("json"), ",")
				list := strings.Split(options, ",")
				made.fields = append(made.fields, nilField{f.Index[0], slices.Contains(list, "omitempty"), slices.Contains(list, "omitzero")})
			}
		}
	}
	known, _ := n.types.LoadOrStore(t, made)
	return known.(*nilType)
}

var (
	marshaler     = reflect.TypeFor[json.Marshaler]()
	textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()
)

func marshalsItself(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(marshaler) || p.Implements(textMarshaler)
}

// mayHoldNil reports whether the JSON of a t may contain the null of a nil slice or map. within lists the enclosing structs.
func mayHoldNil(t reflect.Type, within []reflect.Type) bool {
	switch t.Kind() {
	case reflect.Interface:
		return true
	case reflect.Slice, reflect.Map:
		return !marshalsItself(t)
	case reflect.Pointer, reflect.Array:
		return !marshalsItself(t) && mayHoldNil(t.Elem(), within)
	case reflect.Struct:
		if slices.Contains(within, t) || marshalsItself(t) { // the enclosing struct decides
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

// isEncoded reports whether encoding/json may encode the field.
func isEncoded(f reflect.StructField) bool {
	return (f.IsExported() || f.Anonymous) && f.Tag.Get("json") != "-"
}

// isOmitted reports whether encoding/json leaves out the field, both if v is nil and if it is empty.
func (f nilField) isOmitted(v reflect.Value) bool {
	list := v.Kind() == reflect.Slice || v.Kind() == reflect.Map
	return f.omitEmpty && list && v.Len() == 0 || f.omitZero && v.IsZero()
}

// holdsNil reports whether v holds a nil slice or map. It sets tooDeep and gives up if v is nested too deeply.
func (n *nilFiller) holdsNil(v reflect.Value, depth int, tooDeep *bool) bool {
	*tooDeep = *tooDeep || depth > maxNilDepth
	if *tooDeep {
		return false
	}
	t := n.typeOf(v.Type())
	if !t.mayHold {
		return false
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return !v.IsNil() && n.holdsNil(v.Elem(), depth+1, tooDeep)
	case reflect.Struct:
		for _, f := range t.fields {
			if fv := v.Field(f.index); !f.isOmitted(fv) && n.holdsNil(fv, depth+1, tooDeep) {
				return true
			}
		}
		return false
	case reflect.Slice, reflect.Map:
		if v.IsNil() {
			return true
		}
	}
	if !n.typeOf(v.Type().Elem()).mayHold {
		return false
	}
	if v.Kind() == reflect.Map {
		for it := v.MapRange(); it.Next(); {
			if n.holdsNil(it.Value(), depth+1, tooDeep) {
				return true
			}
		}
		return false
	}
	for i := range v.Len() {
		if n.holdsNil(v.Index(i), depth+1, tooDeep) {
			return true
		}
	}
	return false
}

// fillInPlace fills v, and copies the values that v refers to. holdsNil has checked the depth of v.
func (n *nilFiller) fillInPlace(v reflect.Value) {
	t := n.typeOf(v.Type())
	if !t.mayHold {
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for _, f := range t.fields {
			if fv := v.Field(f.index); !f.isOmitted(fv) {
				n.fillInPlace(fv)
			}
		}
	case reflect.Array:
		for i := range v.Len() {
			n.fillInPlace(v.Index(i))
		}
	default:
		if v.CanSet() { // false for an embedded pointer to an unexported struct
			n.replaceReference(v)
		}
	}
}

// replaceReference sets v to a reference to a filled copy.
func (n *nilFiller) replaceReference(v reflect.Value) {
	switch v.Kind() {
	case reflect.Slice:
		filled := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(filled, v)
		for i := range filled.Len() {
			n.fillInPlace(filled.Index(i))
		}
		v.Set(filled)
	case reflect.Map:
		filled := reflect.MakeMapWithSize(v.Type(), v.Len())
		for it := v.MapRange(); it.Next(); {
			filled.SetMapIndex(it.Key(), n.copyFilled(it.Value()))
		}
		v.Set(filled)
	case reflect.Pointer:
		if !v.IsNil() {
			v.Set(n.copyFilled(v.Elem()).Addr())
		}
	case reflect.Interface:
		if !v.IsNil() {
			v.Set(n.copyFilled(v.Elem()))
		}
	}
}

// copyFilled returns a filled copy of v.
func (n *nilFiller) copyFilled(v reflect.Value) reflect.Value {
	c := reflect.New(v.Type()).Elem()
	c.Set(v)
	n.fillInPlace(c)
	return c
}
