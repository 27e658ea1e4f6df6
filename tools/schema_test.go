package tools

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/strictjson"
)

type page struct {
	Number int      `json:"number" jsonschema:"from 1"`
	Marks  []string `json:"marks,omitempty"`
}

type margins struct {
	Left  uint8   `json:"left"`
	Right float64 `json:"right,omitempty"`
}

type everything struct {
	Title   string     `json:"title" jsonschema:"as printed"`
	Pages   []page     `json:"pages"`
	Cover   *page      `json:"cover"`
	Lent    bool       `json:"lent,omitempty"`
	Due     *time.Time `json:"due"`
	Corners [2]int     `json:"corners"`
	margins
}

func schemaOf[T any](t *testing.T, allow ...string) *schema {
	t.Helper()
	s, err := newSchema(reflect.TypeFor[T](), allow)
	require.NoError(t, err)
	return s
}

// The document is what models read: one type a property, an object at the root, fields in the author's order,
// pointers optional, slices not.
func TestSchemaIsTheDocumentedForm(t *testing.T) {
	t.Parallel()
	require.Equal(t, `{"type":"object","properties":{`+
		`"title":{"type":"string","description":"as printed"},`+
		`"pages":{"type":"array","items":{"type":"object","properties":{"number":{"type":"integer","description":"from 1"},"marks":{"type":"array","items":{"type":"string"}}},"required":["number"],"additionalProperties":false}},`+
		`"cover":{"type":"object","properties":{"number":{"type":"integer","description":"from 1"},"marks":{"type":"array","items":{"type":"string"}}},"required":["number"],"additionalProperties":false},`+
		`"lent":{"type":"boolean"},`+
		`"due":{"type":"string","format":"date-time"},`+
		`"corners":{"type":"array","items":{"type":"integer"},"minItems":2,"maxItems":2},`+
		`"left":{"type":"integer","minimum":0,"maximum":255},`+
		`"right":{"type":"number"}},`+
		`"required":["title","pages","corners","left"],"additionalProperties":false}`,
		string(schemaOf[everything](t).doc))

	require.JSONEq(t, `{"type":"object","properties":{},"additionalProperties":false}`, string(schemaOf[struct{}](t).doc))
}

func TestValidateNamesEachMisfit(t *testing.T) {
	t.Parallel()
	s := schemaOf[everything](t)
	for name, c := range map[string]struct{ args, want string }{
		"least":              {`{"title":"a","pages":[],"corners":[1,2],"left":0}`, ""},
		"all":                {`{"title":"a","pages":[{"number":1,"marks":["x"]}],"cover":{"number":2},"lent":true,"due":"2026-01-02T03:04:05Z","corners":[1,2],"left":9,"right":0.5}`, ""},
		"null is left out":   {`{"title":"a","pages":[],"cover":null,"due":null,"lent":null,"right":null,"corners":[1,2],"left":0}`, ""},
		"null for required":  {`{"title":null,"pages":null,"corners":[1,2],"left":0}`, `title: must be a string, not null; pages: must be an array, not null`},
		"deep":               {`{"title":"a","pages":[{"number":1},{"number":"2"},{"marks":[3]}],"corners":[1,2],"left":0}`, `pages[1].number: must be an integer, not "2"; pages[2].number: is missing; pages[2].marks[0]: must be a string, not 3`},
		"range":              {`{"title":"a","pages":[],"corners":[1],"left":256}`, `corners: must have at least 2 items, not 1; left: must be at most 255, not 256`},
		"fraction":           {`{"title":"a","pages":[],"corners":[1,2.5],"left":0}`, `corners[1]: must be an integer, not 2.5`},
		"unknown":            {`{"title":"a","pages":[],"corners":[1,2],"left":0,"Title":"b"}`, `Title: is not known here; the names are ["title" "pages" "cover" "lent" "due" "corners" "left" "right"]`},
		"not an object":      {`[1]`, `must be an object, not an array`},
		"null":               {`null`, `must be an object, not null`},
		"hidden in optional": {`{"title":"a","pages":[],"cover":{"number":1,"tenant":"globex"},"corners":[1,2],"left":0}`, `cover.tenant: is not known here; the names are ["number" "marks"]`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := s.validate([]byte(c.args))
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, "tools: correction: the arguments do not fit: "+c.want)
		})
	}
}

func TestValidateBoundsItsMessage(t *testing.T) {
	t.Parallel()
	s := schemaOf[everything](t)
	_, err := s.validate([]byte(`{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"title":"t","pages":[],"corners":["x","y"],"left":-1}`))
	require.ErrorContains(t, err, "; and 1 more")
}

// A call whose JSON two readers could read differently is refused, with the reason.
func TestValidateRejectsLaxJSON(t *testing.T) {
	t.Parallel()
	s := schemaOf[everything](t)
	for args, want := range map[string]string{
		``:                          "not valid JSON: unexpected end at byte 0",
		`{"title":"a","title":"b"}`: `ambiguous: the name "title" appears twice in one object`,
		`{"title":"\ud99c"}`:        "not valid text: the escape at byte 10 is half of a surrogate pair",
		"{\"title\":\"\xff\"}":      "not valid UTF-8 at byte 10",
	} {
		_, err := s.validate([]byte(args))
		require.EqualError(t, err, "tools: correction: the arguments are "+want)
	}
}

// The library that infers the schema validates too. It is slower and its messages are for programmers, but the two must
// agree, whatever the value. It ignores formats, so the schema here does not use them.
func TestCheckerAgreesWithTheLibrary(t *testing.T) {
	t.Parallel()
	type ruled struct {
		everything
		Kind  string    `json:"kind" enum:"m,s"`
		Some  []string  `json:"some,omitempty" enum:"s,t" minitems:"1" maxitems:"2"`
		Count *int      `json:"count" min:"1" max:"10"`
		Step  int       `json:"step" enum:"1,3,300"`
		Ratio []float64 `json:"ratio" min:"-0.5" max:"0.5"`
		ISBN  *string   `json:"isbn" minlen:"1" maxlen:"4" pattern:"^(?:t|s)"`
	}
	s := schemaOf[ruled](t)
	var oracle jsonschema.Schema
	require.NoError(t, json.Unmarshal(s.doc, &oracle))
	acceptNull(&oracle)
	rules, err := oracle.Resolve(nil)
	require.NoError(t, err)

	rnd := rand.New(rand.NewPCG(1, 2))
	fits := 0
	for range 10_000 {
		v := mutate(rnd, map[string]any{
			"title": "t", "pages": []any{map[string]any{"number": 1.0, "marks": []any{"m"}}},
			"cover": map[string]any{"number": 3.0}, "lent": true,
			"corners": []any{1.0, 2.0}, "left": 7.0, "right": 1.5,
			"kind": "m", "some": []any{"s", "t"}, "count": 3.0, "step": 3.0, "ratio": []any{0.5, -0.25}, "isbn": "tüt",
		})
		err := rules.Validate(v)
		raw, marshalErr := json.Marshal(v)
		require.NoError(t, marshalErr)
		parsed, parseErr := strictjson.Parse(raw)
		require.NoError(t, parseErr)
		c := checker{constraints: &s.constraints}
		c.checkValue(s.rules, parsed)
		require.Equal(t, err == nil, c.message() == "", "%v: the library says %v, the checker %q", v, err, c.message())
		if err == nil {
			fits++
		}
	}
	require.Greater(t, fits, 1_000)
	require.Less(t, fits, 9_000)
}

// mutate returns v with some values replaced, some names removed and some added.
func mutate(r *rand.Rand, v any) any {
	if r.IntN(40) == 0 {
		return []any{nil, true, "s", "", "long text", 1.0, -1.0, 300.0, 0.5, []any{}, map[string]any{}}[r.IntN(11)]
	}
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, e := range v {
			if r.IntN(40) > 0 {
				out[k] = mutate(r, e)
			}
		}
		if r.IntN(20) == 0 {
			out["odd"] = 1.0
		}
		return out
	case []any:
		var out []any
		for _, e := range v {
			for range 1 + r.IntN(30)/29 {
				out = append(out, mutate(r, e))
			}
		}
		return append([]any{}, out...)
	}
	return v
}

func TestReservedWordsAreRejected(t *testing.T) {
	t.Parallel()
	for name, word := range map[string]string{
		"tenant": "tenant", "tenant_id": "tenant", "tenantID": "tenant", "forTenant": "tenant", "TENANT-ID": "tenant",
		"user": "user", "theUser2": "user", "session_id": "session", "bucket": "bucket", "S3Bucket": "bucket",
		"key": "key", "Key": "key", "objectKey": "key", "S3Key": "key", "s3key": "key", "key2": "key", "_key": "key",
		"ARN": "arn", "roleARN": "arn", "ARNList": "arn", "arn.of": "arn", "keyPrefix": "key", "prefixes_prefix": "prefix",
		"partitionIndex": "partition",
	} {
		require.ErrorContains(t, checkName(name, nil), `"`+word+`"`, name)
		require.NoError(t, checkName(name, []string{"x", name}), name)
	}
	for _, name := range []string{"keyboard", "monkey", "keys", "users", "learn", "title", "isbn13", "prefixed", "Lent"} {
		require.NoError(t, checkName(name, nil), name)
	}
	// Look-alikes: a Kelvin sign, a long s, a soft hyphen, nothing at all.
	for _, name := range []string{"\u212aey", "\u017fession", "k\u00adey", "", "a b"} {
		require.ErrorContains(t, checkName(name, []string{name}), "does not match", name)
	}
}
