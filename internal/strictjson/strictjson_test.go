package strictjson_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/strictjson"
)

func kindOf(t testing.TB, err error) strictjson.Kind {
	t.Helper()
	var e *strictjson.Error
	require.ErrorAs(t, err, &e)
	return e.Kind
}

func nested(depth int) string { return strings.Repeat(`[`, depth) + strings.Repeat(`]`, depth) }

// members is an object of n members, of which the last two share a name.
func members(n int, last string) string {
	var b strings.Builder
	b.WriteByte('{')
	for i := range n {
		fmt.Fprintf(&b, `"n%d":{"n1":%d},`, i, i)
	}
	return b.String() + `"` + last + `":0}`
}

func TestCheckRejectsLaxJSON(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`null`: "", ` {"a" : [1, -0.5e+7, true, false, null, "x"] } `: "", `"\ud83d\ude00 \u00e9 \"\\\/\b\f\n\r\t"`: "",
		`{"a":1,"b":{"a":1}}`: "", `[]`: "", `{}`: "", `0`: "", `-0`: "", `1e-400`: "", `1e400`: "", `1e99999999999999999999`: "", `1.7976931348623157e308`: "",
		nested(500): "", members(40, "n40"): "", members(3, `\u006e3`): "",

		``:                           "not valid JSON: unexpected end at byte 0",
		`  `:                         "not valid JSON: unexpected end at byte 2",
		`{`:                          "not valid JSON: unexpected end at byte 1",
		`[1`:                         "not valid JSON: unexpected end at byte 2",
		`[1,]`:                       "not valid JSON: unexpected ']' at byte 3",
		`{"a":1,}`:                   "not valid JSON: unexpected '}' at byte 7",
		`{"a"}`:                      "not valid JSON: unexpected '}' at byte 4",
		`{a:1}`:                      "not valid JSON: unexpected 'a' at byte 1",
		`{"a":1 "b":2}`:              `not valid JSON: unexpected '"' at byte 7`,
		`tru`:                        "not valid JSON: unexpected end at byte 3",
		`nulL`:                       "not valid JSON: unexpected 'L' at byte 3",
		`NaN`:                        "not valid JSON: unexpected 'N' at byte 0",
		`-`:                          "not valid JSON: unexpected end at byte 1",
		`+1`:                         "not valid JSON: unexpected '+' at byte 0",
		`.5`:                         "not valid JSON: unexpected '.' at byte 0",
		`1.`:                         "not valid JSON: unexpected end at byte 2",
		`1e`:                         "not valid JSON: unexpected end at byte 2",
		`"a`:                         "not valid JSON: unexpected end at byte 2",
		`"\`:                         "not valid JSON: unexpected end at byte 2",
		`"\x"`:                       "not valid JSON: unexpected 'x' at byte 2",
		`"\u12g4"`:                   `not valid JSON: an invalid \u escape at byte 1`,
		"\"a\nb\"":                   `not valid JSON: unexpected '\n' at byte 2`,
		"\ufeff{}":                   `not valid JSON: unexpected '\ufeff' at byte 0`,
		`01`:                         "more than one JSON value: more data follows at byte 1",
		`{} {}`:                      "more than one JSON value: more data follows at byte 3",
		"\"\xff\"":                   "not valid UTF-8 at byte 1",
		"{\"\xed\xa0\x80\":1}":       "not valid UTF-8 at byte 2",
		`"\ud99c"`:                   "not valid text: the escape at byte 1 is half of a surrogate pair",
		`"a\udc00"`:                  "not valid text: the escape at byte 2 is half of a surrogate pair",
		`"\ud83d\ud83d\ude00"`:       "not valid text: the escape at byte 1 is half of a surrogate pair",
		`"\ude00\ud83d"`:             "not valid text: the escape at byte 1 is half of a surrogate pair",
		`"\ud83d\u00e9"`:             "not valid text: the escape at byte 1 is half of a surrogate pair",
		`{"\ud99c":1}`:               "not valid text: the escape at byte 2 is half of a surrogate pair",
		`{"a":1,"a":1}`:              `ambiguous: the name "a" appears twice in one object`,
		`[{"x":{"a":1,"\u0061":2}}]`: `ambiguous: the name "a" appears twice in one object`,
		members(16, "n0"):            `ambiguous: the name "n0" appears twice in one object`,
		members(40, `\u006e39`):      `ambiguous: the name "n39" appears twice in one object`,
		nested(501):                  "nested more than 500 levels deep",
		nested(1 << 20):              "nested more than 500 levels deep",
	} {
		err := strictjson.Check([]byte(in))
		_, parseErr := strictjson.Parse([]byte(in))
		require.Equal(t, err, parseErr, "%.60s", in)
		if want == "" {
			require.NoError(t, err, "%.60s", in)
		} else {
			require.EqualError(t, err, want, "%.60s", in)
		}
	}
	require.NoError(t, strictjson.CheckObject([]byte(` {}`)))
	require.EqualError(t, strictjson.CheckObject([]byte(` []`)), "not a JSON object")
	require.Equal(t, strictjson.Syntax, kindOf(t, strictjson.CheckObject([]byte(` `))))
}

func TestParseReturnsTheValue(t *testing.T) {
	t.Parallel()
	v, err := strictjson.ParseObject([]byte(` {"a\n": [1, {"b": "\ud83d\ude00"}, []] , "c\\u": null, "d": true}`))
	require.NoError(t, err)
	require.Equal(t, 3, v.Len())
	var names []string
	for name, value := range v.Members() {
		names = append(names, fmt.Sprint(name, "=", value.Type()))
	}
	require.Equal(t, []string{"a\n=array", `c\u=null`, "d=boolean"}, names)
	for name, want := range map[string]bool{"a\n": true, `a\n`: false, `c\u`: true, `c\\u`: false, "d": true, "D": false} {
		_, ok := v.Get(name)
		require.Equal(t, want, ok, name)
	}
	list, _ := v.Get("a\n")
	require.Equal(t, 3, list.Len())
	require.Equal(t, `[1, {"b": "\ud83d\ude00"}, []]`, string(list.Raw()))
	require.Equal(t, 9, list.Offset())
	var items []strictjson.Value
	for item := range list.Items() {
		items = append(items, item)
	}
	require.Len(t, items, 3)
	b, ok := items[1].Get("b")
	require.True(t, ok)
	require.Equal(t, "😀", b.Text())
	_, ok = b.Get("b")
	require.False(t, ok)
	require.Empty(t, list.Text())
	for range b.Items() {
		t.Fatal("a string has items")
	}
	_, err = strictjson.ParseObject([]byte(` 1`))
	require.Equal(t, strictjson.NotObject, kindOf(t, err))
}

func TestIntegerIsPlainDigits(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"3": "3", "3.0": "3", "1e2": "100", "-0.0": "0", "-0": "0", "0e999": "0", "-12.50E1": "-125",
		"1200e-2": "12", "0.1e1": "1", "9223372036854775807.0": "9223372036854775807", "1e19": "10000000000000000000",
		"3.5": "", "1e-1": "", "0.10": "", "1e-99999999999999999999": "", "1e400": "", "1e99999999999999999999": "", `"3"`: "", "[3]": "",
		"1e308": "1" + strings.Repeat("0", 308),
	} {
		v, err := strictjson.Parse([]byte(in))
		require.NoError(t, err, in)
		got, ok := v.Integer()
		require.Equal(t, want, got, in)
		require.Equal(t, want != "", ok, in)
	}
}

func TestCanonicalFormsAreEqual(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{ "b" : [ 1 , 2.50 ] , "a" : { } }`:       `{"a":{},"b":[1,2.5]}`,
		`{"\u00e9":"\u003c\/\u001f\t","e":[[],1]}`: "{\"e\":[[],1],\"é\":\"</\\u001f\\t\"}",
		`[3.0,3e0,30e-1,-0.0]`:                     `[3,3,3,0]`,
		`[9007199254740993,1e21,1e20,1e-7,1e-6]`:   `[9007199254740993,1e+21,100000000000000000000,1e-7,0.000001]`,
		`[123456789012345678901234.5,-12.5e-9]`:    `[1.234567890123456789012345e+23,-1.25e-8]`,
		`"\ud83d\ude00"`:                           `"😀"`,
		`[1e400,10e399,1E+99999999999999999999]`:   `[1e+400,1e+400,1E+99999999999999999999]`,
	} {
		got, err := strictjson.Canonical([]byte(in))
		require.NoError(t, err, in)
		require.Equal(t, want, string(got))
	}
	_, err := strictjson.Canonical([]byte(`{"a":1,"a":1}`))
	require.Equal(t, strictjson.Duplicate, kindOf(t, err))
}

func TestRepairReplacesTextDefects(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{"a":"\ud99c"}`:               `{"a":"\ufffd"}`,
		`["\ud99cx\ude00\ud83d"]`:      `["\ufffdx\ufffd\ufffd"]`,
		`["\ud83d\ude00\\ud99c"]`:      `["\ud83d\ude00\\ud99c"]`,
		`["\ud83d\ud83d\ude00"]`:       `["\ufffd\ud83d\ude00"]`,
		"[\"a\xffb\"]":                 "[\"a\ufffdb\"]",
		`["\ud99`:                      `["\ud99`,
		`\`:                            `\`,
		``:                             ``,
		`{"\ud800":1,"\udfff":[true]}`: `{"\ufffd":1,"\ufffd":[true]}`,
	} {
		was := strings.Clone(in)
		require.Equal(t, want, string(strictjson.Repair([]byte(in))), in)
		require.Equal(t, was, in)
	}
	b := []byte(`{"a":"b"}`)
	require.Same(t, &b[0], &strictjson.Repair(b)[0])
}

type inner struct {
	Name string   `json:"name"`
	List []*inner `json:"list"`
}

type Embedded struct {
	Deep int `json:"deep"`
}

type target struct {
	Embedded
	A     int               `json:"a"`
	B     map[string]*inner `json:"b"`
	When  time.Time         `json:"when"`
	Raw   json.RawMessage   `json:"raw"`
	Plain string
	Skip  int `json:"-"`
}

func TestDecodeIsStrictAboutNames(t *testing.T) {
	t.Parallel()
	var v target
	require.NoError(t, strictjson.Decode([]byte(`{"a":1,"b":{"X":{"name":"n","list":[{"name":"m"},null]}},"deep":2,
		"when":"2026-01-31T15:04:05Z","raw":{"Any":1},"Plain":"p"}`), &v))
	require.Equal(t, 2, v.Deep)
	require.Equal(t, "m", v.B["X"].List[0].Name)
	for in, want := range map[string]strictjson.Kind{
		`{"A":1}`:                             strictjson.Unknown,
		`{"plain":""}`:                        strictjson.Unknown,
		`{"Skip":1}`:                          strictjson.Unknown,
		`{"Embedded":{}}`:                     strictjson.Unknown,
		`{"b":{"x":{"list":[{"Name":"m"}]}}}`: strictjson.Unknown,
		`{"a":"1"}`:                           strictjson.Mismatch,
		`[]`:                                  strictjson.Mismatch,
		`{"a":1}{}`:                           strictjson.Trailing,
		`{"raw":{"x":1,"x":2}}`:               strictjson.Duplicate,
	} {
		require.Equal(t, want, kindOf(t, strictjson.Decode([]byte(in), &target{})), in)
	}
	require.EqualError(t, strictjson.Decode([]byte(`{"A":1}`), &v), `not acceptable: unknown field "A"`)
	var e *json.UnmarshalTypeError
	require.ErrorAs(t, strictjson.Decode([]byte(`{"a":"1"}`), &v), &e)
}

// A long document is read in one pass, and nothing recurses over its length.
func TestParseReadsLongDocuments(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		"[" + strings.Repeat("[],", 200_000) + "1]", members(50_000, "n50000"), "[0." + strings.Repeat("0", 1<<20) + "e9]",
	} {
		v, err := strictjson.Parse([]byte(in))
		require.NoError(t, err)
		require.Positive(t, v.Len())
	}
}

func TestParseEnvelopeAcceptsTheDeepestValueInADocument(t *testing.T) {
	t.Parallel()
	nest := func(n int) []byte { return []byte(strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n)) }
	_, err := strictjson.ParseObject(nest(strictjson.MaxDepth + 1))
	require.Error(t, err)
	_, err = strictjson.ParseEnvelope(nest(strictjson.MaxDepth + 16))
	require.NoError(t, err)
	_, err = strictjson.ParseEnvelope(nest(strictjson.MaxDepth + 17))
	require.Error(t, err)
	_, err = strictjson.ParseEnvelope([]byte("[]"))
	require.Error(t, err)
}

func TestMissingMemberHasNoValue(t *testing.T) {
	t.Parallel()
	doc, err := strictjson.ParseObject([]byte(`{"a":1}`))
	require.NoError(t, err)
	missing, ok := doc.Get("b")
	require.False(t, ok)
	require.Empty(t, missing.Type())
	require.Empty(t, missing.Raw())
	require.Empty(t, missing.Text())
	require.Zero(t, missing.Len())
	require.Zero(t, missing.Offset())
	for range missing.Items() {
		t.Error("an item")
	}
	for range missing.Members() {
		t.Error("a member")
	}
	_, ok = missing.Get("a")
	require.False(t, ok)
}
