package tools

import (
	"encoding"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"sync"
)

// maxNilDepth limits the search for nil slices and maps in a result. At this depth encoding/json starts to look for
// cycles of pointers, and it returns an error for one.
const maxNilDepth = 1000

// nilFiller replaces nil slices and maps by empty ones: a model reads [] and {} as "nothing found", and null as
// "unknown". It caches what it knows about types.
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
	if v == nil {
		return nil
	}
	w := nilWalk{nilFiller: n}
	if !w.visit(reflect.ValueOf(v), 0) || w.tooDeep {
		return v
	}
	w.fills = true
	filled := copyValue(reflect.ValueOf(v))
	w.visit(filled, 0)
	return filled.Interface()
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
				made.fields = append(made.fields,
					nilField{f.Index[0], slices.Contains(list, "omitempty"), slices.Contains(list, "omitzero")})
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

// mayHoldNil reports whether the JSON of a t may contain the null of a nil slice or map. within lists the enclosing
// structs.
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

// nilWalk visits the values that the JSON of a value consists of. The first walk searches, and never ends early, so
// that it finds each cycle. The second one fills.
type nilWalk struct {
	*nilFiller
	fills   bool
	tooDeep bool // the value is nested too deeply, perhaps without end
}

// visit reports whether v holds a nil slice or map. If w fills, it replaces them in v, and copies the values that v
// refers to.
func (w *nilWalk) visit(v reflect.Value, depth int) (holdsNil bool) {
	t := w.typeOf(v.Type())
	w.tooDeep = w.tooDeep || depth > maxNilDepth
	switch kind := v.Kind(); {
	case w.tooDeep || !t.mayHold:
	case kind == reflect.Struct:
		for _, f := range t.fields {
			if fv := v.Field(f.index); !f.isOmitted(fv) {
				holdsNil = w.visit(fv, depth+1) || holdsNil
			}
		}
	case kind == reflect.Array:
		holdsNil = w.visitItems(v, depth)
	case w.fills && !v.CanSet(): // an embedded pointer to an unexported struct
	case v.IsNil():
		holdsNil = kind == reflect.Slice || kind == reflect.Map
		if w.fills && holdsNil {
			v.Set(makeEmpty(v.Type()))
		}
	case kind == reflect.Slice:
		if w.fills {
			v.Set(reflect.AppendSlice(reflect.MakeSlice(v.Type(), 0, v.Len()), v))
		}
		holdsNil = w.visitItems(v, depth)
	case kind == reflect.Map:
		holdsNil = w.visitMap(v, depth)
	default:
		holdsNil = w.visitTarget(v, depth)
	}
	return holdsNil
}

func (w *nilWalk) visitTarget(v reflect.Value, depth int) (holdsNil bool) {
	if !w.fills {
		return w.visit(v.Elem(), depth+1)
	}
	filled := copyValue(v.Elem())
	holdsNil = w.visit(filled, depth+1)
	if v.Kind() == reflect.Pointer {
		filled = filled.Addr()
	}
	v.Set(filled)
	return holdsNil
}

func (w *nilWalk) visitItems(v reflect.Value, depth int) (holdsNil bool) {
	if w.typeOf(v.Type().Elem()).mayHold {
		for i := range v.Len() {
			holdsNil = w.visit(v.Index(i), depth+1) || holdsNil
		}
	}
	return holdsNil
}

func (w *nilWalk) visitMap(v reflect.Value, depth int) (holdsNil bool) {
	if !w.typeOf(v.Type().Elem()).mayHold {
		return false
	}
	filled := makeEmpty(v.Type())
	for it := v.MapRange(); it.Next(); {
		value := it.Value()
		if w.fills {
			value = copyValue(value)
		}
		holdsNil = w.visit(value, depth+1) || holdsNil
		if w.fills {
			filled.SetMapIndex(it.Key(), value)
		}
	}
	if w.fills {
		v.Set(filled)
	}
	return holdsNil
}

// makeEmpty returns an empty slice or map.
func makeEmpty(t reflect.Type) reflect.Value {
	if t.Kind() == reflect.Map {
		return reflect.MakeMap(t)
	}
	return reflect.MakeSlice(t, 0, 0)
}

// copyValue returns a settable copy of v.
func copyValue(v reflect.Value) reflect.Value {
	c := reflect.New(v.Type()).Elem()
	c.Set(v)
	return c
}
