package strictjson_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/strictjson"
)

func TestObject(t *testing.T) {
	read := func(in string) (map[string]string, error) {
		got := map[string]string{}
		return got, strictjson.Object([]byte(in), func(name string, v json.RawMessage) error {
			if name != "a" && name != "b" {
				return strictjson.ErrUnknown
			}
			got[name] = string(v)
			return nil
		})
	}
	got, err := read(` {"a": {"x": 1, "x": 2}, "b": null} `)
	require.NoError(t, err)
	require.Equal(t, map[string]string{"a": `{"x": 1, "x": 2}`, "b": "null"}, got, "what a value holds is its reader's to check")

	for in, want := range map[string]string{
		``:                        "the JSON is not an object",
		`[]`:                      "the JSON is not an object",
		`"a"`:                     "the JSON is not an object",
		`null`:                    "the JSON is not an object",
		`{`:                       "the JSON is malformed",
		`{"a":1`:                  "the JSON is malformed",
		`{"a":1,}`:                "the JSON is malformed",
		`{a:1}`:                   "the JSON is malformed",
		`{"a":01}`:                "the JSON is malformed",
		`{"a":1}{"b":1}`:          "the JSON is followed by more data",
		`{"a":1} x`:               "the JSON is followed by more data",
		`{"a":1,"a":2}`:           `the JSON has "a" twice`,
		`{"a":1,"\u0061":2}`:      `the JSON has "a" twice`,
		`{"A":1}`:                 `the JSON has the unknown field "A"`,
		"{\"a\":\"\xff\"}":        "the JSON is not valid UTF-8",
		"\ufeff{\"a\":1}":         "the JSON is not an object",
		`{"a":1,"c":{"a":[1,2]}}`: `the JSON has the unknown field "c"`,
	} {
		_, err := read(in)
		var syntax *strictjson.SyntaxError
		require.ErrorAs(t, err, &syntax, in)
		require.EqualError(t, err, want, in)
	}
	own := errors.New("own")
	require.Equal(t, own, strictjson.Object([]byte(`{"a":1}`), func(string, json.RawMessage) error { return own }))
}
