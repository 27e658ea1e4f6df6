package strictjson_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/strictjson"
)

// isStrict is Check in terms of encoding/json: its tokens show names that appear twice, and where it has replaced half
// a surrogate pair.
func isStrict(b []byte) bool {
	if !utf8.Valid(b) || !json.Valid(b) {
		return false
	}
	replaced := -bytes.Count(b, []byte("\ufffd")) - strings.Count(strings.ToLower(string(escapes(b))), `\ufffd`)
	type level struct {
		names map[string]bool // nil for an array
		value bool            // a value comes next
	}
	var stack []level
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return replaced <= 0
		}
		if err != nil || len(stack) > strictjson.MaxDepth {
			return false
		}
		text, isText := tok.(string)
		replaced += strings.Count(text, "\ufffd")
		top := len(stack) - 1
		if tok == json.Delim('}') || tok == json.Delim(']') {
			stack = stack[:top]
			continue
		}
		if top >= 0 && stack[top].names != nil {
			if stack[top].value = !stack[top].value; stack[top].value && isText {
				if stack[top].names[text] {
					return false
				}
				stack[top].names[text] = true
				continue
			}
		}
		switch tok {
		case json.Delim('{'):
			stack = append(stack, level{names: map[string]bool{}})
		case json.Delim('['):
			stack = append(stack, level{})
		}
	}
}

// escapes returns b without escaped backslashes.
func escapes(b []byte) []byte { return bytes.ReplaceAll(b, []byte(`\\`), nil) }

func FuzzStrictJSON(f *testing.F) {
	for _, in := range []string{
		`{"a":1,"b":[true,null,-1.5e3,"x\n\ud83d\ude00"]}`, `{"a":1,"\u0061":2}`, `"\ud99c"`, `"\\ud99c"`, `[1e999]`, "\"\xff\"", `01`,
		`{"a":{"b":{}}}x`, `"\ufffd\ufffd"`, "\"\ufffd\"", nested(501), `[1,2`, `-0.0e-0`, ` 1 `, `{"":{"":0}}`,
	} {
		f.Add([]byte(in))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		err := strictjson.Check(b)
		require.Equal(t, isStrict(b), err == nil, "%v", err)
		v, parseErr := strictjson.Parse(b)
		require.Equal(t, err, parseErr)

		repaired := strictjson.Repair(b)
		if err == nil {
			require.Equal(t, b, repaired)
			checkValue(t, v)
		} else {
			var e *strictjson.Error
			require.ErrorAs(t, err, &e)
			require.LessOrEqual(t, e.Offset, len(b))
			require.NotEmpty(t, e.Error())
			if errors.As(strictjson.Check(repaired), &e) {
				require.NotContains(t, []strictjson.Kind{strictjson.NotUTF8, strictjson.Surrogate}, e.Kind)
			}
			if json.Valid(b) { // it reads as it did
				require.True(t, json.Valid(repaired))
			}
		}
		require.Equal(t, before, b, "the input was changed")
	})
}

// checkValue compares v with encoding/json's reading, and its canonical form with itself.
func checkValue(t *testing.T, v strictjson.Value) {
	var want any
	if json.Unmarshal(v.Raw(), &want) != nil {
		return // a number beyond float64
	}
	require.Equal(t, want, read(t, v))
	canonical, err := strictjson.Canonical(v.Raw())
	require.NoError(t, err)
	var got any
	require.NoError(t, json.Unmarshal(canonical, &got))
	require.Equal(t, plainZero(want), plainZero(got))
	again, err := strictjson.Canonical(canonical)
	require.NoError(t, err)
	require.Equal(t, string(canonical), string(again))
}

func read(t *testing.T, v strictjson.Value) any {
	switch v.Type() {
	case strictjson.Array:
		list := []any{}
		for item := range v.Items() {
			list = append(list, read(t, item))
		}
		require.Len(t, list, v.Len())
		return list
	case strictjson.Object:
		m := map[string]any{}
		for name, value := range v.Members() {
			m[name] = read(t, value)
			got, ok := v.Get(name)
			require.True(t, ok)
			require.Equal(t, value, got)
		}
		require.Len(t, m, v.Len())
		return m
	case strictjson.String:
		return v.Text()
	}
	var x any
	require.NoError(t, json.Unmarshal(v.Raw(), &x))
	return x
}

// plainZero turns -0 into 0, as Canonical does.
func plainZero(v any) any {
	switch v := v.(type) {
	case float64:
		return v + 0
	case []any:
		for i := range v {
			v[i] = plainZero(v[i])
		}
	case map[string]any:
		for name := range v {
			v[name] = plainZero(v[name])
		}
	}
	return v
}

func BenchmarkCheck(b *testing.B) {
	for name, in := range map[string][]byte{
		"call": []byte(`{"title":"Middlemarch","author":"George Eliot","year":1871,"subjects":["fiction","England"],` +
			`"publisher":{"street":"George Street","number":45,"city":"Edinburgh"},"lent":false,"score":0.9}`),
		"rows": []byte("[" + strings.Repeat(`{"title":"Middle\nmarch","year":1871,"lent":false,"score":0.9},`, 1000) + "null]"),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(in)))
			b.ReportAllocs()
			for b.Loop() {
				if strictjson.Check(in) != nil {
					b.Fatal("not valid")
				}
			}
		})
		b.Run(name+"/parse", func(b *testing.B) {
			b.SetBytes(int64(len(in)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := strictjson.Parse(in); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/encoding-json", func(b *testing.B) { // the check that it replaces, for comparison
			b.SetBytes(int64(len(in)))
			b.ReportAllocs()
			for b.Loop() {
				if !json.Valid(in) {
					b.Fatal("not valid")
				}
			}
		})
	}
}
