package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A number that JSON Schema calls an integer is one, however it is written, and the call sees it in plain digits.
func TestIntegersAreAcceptedInEveryNotation(t *testing.T) {
	t.Parallel()
	type page struct {
		Number int `json:"number" min:"1" max:"500"`
	}
	type in struct {
		Page   int         `json:"page"`
		Step   int         `json:"step,omitempty" enum:"1,3,300"`
		Left   *uint8      `json:"left"`
		Large  int64       `json:"large,omitempty"`
		Huge   uint64      `json:"huge,omitempty"`
		Pages  []page      `json:"pages,omitempty"`
		Pair   *[2]int     `json:"-"`
		Square [2]int32    `json:"square,omitzero"`
		Ratio  float32     `json:"ratio,omitempty"`
		Exact  json.Number `json:"exact,omitempty"`
	}
	var got in
	var args string
	tool := mustNew(t, func(_ context.Context, c *Call, v in) (string, error) {
		got, args = v, string(c.Args())
		return "ok", nil
	})
	left := uint8(200)
	for raw, want := range map[string]struct {
		in   in
		args string
	}{
		`{"page":3.0}`:                                     {in{Page: 3}, `{"page":3}`},
		`{"page": 1e2 ,"step":3e2}`:                        {in{Page: 100, Step: 300}, `{"page": 100 ,"step":300}`},
		`{"left":2.0E+2,"page":-0.0}`:                      {in{Left: &left}, `{"left":200,"page":0}`},
		`{"page":-0,"left":-0}`:                            {in{Left: new(uint8)}, `{"page":0,"left":0}`},
		`{"page":1,"large":9223372036854775807.0}`:         {in{Page: 1, Large: 1<<63 - 1}, `{"page":1,"large":9223372036854775807}`},
		`{"page":1,"huge":1.8446744073709551615e19}`:       {in{Page: 1, Huge: 1<<64 - 1}, `{"page":1,"huge":18446744073709551615}`},
		`{"page":1,"pages":[{"number":1.0},{"number":2}]}`: {in{Page: 1, Pages: []page{{1}, {2}}}, `{"page":1,"pages":[{"number":1},{"number":2}]}`},
		`{"page":1,"square":[10e-1,2.00]}`:                 {in{Page: 1, Square: [2]int32{1, 2}}, `{"page":1,"square":[1,2]}`},
		`{"page":1,"ratio":2.0,"exact":12.50}`:             {in{Page: 1, Ratio: 2, Exact: "12.50"}, `{"page":1,"ratio":2.0,"exact":12.50}`},
		`{"exact":1e400,"page":1}`:                         {in{Page: 1, Exact: "1e400"}, `{"exact":1e400,"page":1}`},
	} {
		_, err := call(tool, raw)
		require.NoError(t, err, raw)
		require.Equal(t, want.in, got, raw)
		require.Equal(t, want.args, args)
	}
	for raw, want := range map[string]string{
		`{"page":3.5}`:                              `page: must be an integer, not 3.5`,
		`{"page":1e-1}`:                             `page: must be an integer, not 1e-1`,
		`{"page":9223372036854775808}`:              `page: must be a number from -9223372036854775808 to 9223372036854775807, not 9223372036854775808`,
		`{"page":1e30}`:                             `page: must be a number from -9223372036854775808 to 9223372036854775807, not 1000000000000000000000000000000`,
		`{"page":1,"huge":18446744073709551616}`:    `huge: must be a number from 0 to 18446744073709551615, not 18446744073709551616`,
		`{"page":1,"huge":-1}`:                      `huge: must be at least 0, not -1`,
		`{"page":1,"left":256.0}`:                   `left: must be at most 255, not 256`,
		`{"page":1,"step":2.0}`:                     `step: must be one of 1, 3, 300, not 2`,
		`{"page":1,"pages":[{"number":0.0}]}`:       `pages[0].number: must be at least 1, not 0`,
		`{"page":1,"ratio":1e39}`:                   `ratio: must be a number from -3.4028235e+38 to 3.4028235e+38, not 1e39`,
		`{"page":1,"exact":"12"}`:                   `exact: must be a number or null, not "12"`,
		`{"page":1` + strings.Repeat("0", 60) + `}`: `page: must be a number from -9223372036854775808 to 9223372036854775807, not 1` + strings.Repeat("0", 39) + `…`,
	} {
		_, err := call(tool, raw)
		require.EqualError(t, err, "tools: correction: the arguments do not fit: "+want)
	}
	require.Contains(t, string(tool.Spec().Schema), `"exact":{"type":"number"}`)
}

// shelfMark is a text that checks itself.
type shelfMark string

func (m *shelfMark) UnmarshalText(b []byte) error {
	if !regexp.MustCompile(`^[A-Z]\d*$`).Match(b) {
		return fmt.Errorf("a shelf mark is a letter and digits")
	}
	*m = shelfMark(b)
	return nil
}

func TestTextUnmarshalersCheckTheirTexts(t *testing.T) {
	t.Parallel()
	s := schemaOf[struct {
		Marks []shelfMark `json:"marks"`
	}](t)
	_, err := s.validate([]byte(`{"marks":["A1","b",7,"c"]}`))
	require.EqualError(t, err, `tools: correction: the arguments do not fit: marks[1]: "b" is not valid: a shelf mark is a letter and digits; `+
		`marks[2]: must be a string, not 7; marks[3]: "c" is not valid: a shelf mark is a letter and digits`)
	_, err = schemaOf[struct {
		Mark shelfMark `json:"mark" minlen:"2"`
	}](t).validate([]byte(`{"mark":"b"}`))
	require.EqualError(t, err, `tools: correction: the arguments do not fit: mark: must have at least 2 characters, not 1`, "one misfit of a text is enough")
}

// goTypes are words of Go that no model should have to know.
var goTypes = regexp.MustCompile(`Go |\bint\d*\b|\buint|float|struct|json\.|time\.|reflect`)

// Arguments that pass the check decode to the numbers that were written. Otherwise the message is for the model.
func TestCheckedArgumentsDecode(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(15, 3))
	passed := 0
	for i := range 3000 {
		typ := randomStruct(rnd, 0)
		s, err := newSchema(typ, nil)
		require.NoError(t, err, "%v", typ)
		for range 4 {
			raw := []byte(randomArgs(rnd, typ))
			args, err := s.validate(raw)
			if err != nil {
				require.NotRegexp(t, goTypes, err.Error(), "%v: %s", typ, raw)
				continue
			}
			passed++
			v := reflect.New(typ)
			require.NoError(t, json.Unmarshal(args, v.Interface()), "%d: %v: %s", i, typ, raw)
			again, err := s.validate(args)
			require.NoError(t, err)
			require.Equal(t, string(args), string(again), "the form does not change again")
		}
	}
	require.Greater(t, passed, 2000)
}

var leafTypes = []reflect.Type{
	reflect.TypeFor[int](), reflect.TypeFor[int8](), reflect.TypeFor[int16](), reflect.TypeFor[int32](), reflect.TypeFor[int64](),
	reflect.TypeFor[uint](), reflect.TypeFor[uint8](), reflect.TypeFor[uint16](), reflect.TypeFor[uint32](), reflect.TypeFor[uint64](),
	reflect.TypeFor[uintptr](), reflect.TypeFor[float32](), reflect.TypeFor[float64](), reflect.TypeFor[json.Number](),
	reflect.TypeFor[string](), reflect.TypeFor[bool](), reflect.TypeFor[time.Time](), reflect.TypeFor[shelfMark](), reflect.TypeFor[time.Duration](),
}

func randomStruct(r *rand.Rand, depth int) reflect.Type {
	var fields []reflect.StructField
	for i := range 1 + r.IntN(3) {
		typ := leafTypes[r.IntN(len(leafTypes))]
		if depth < 2 && r.IntN(4) == 0 {
			typ = randomStruct(r, depth+1)
		}
		option := ""
		switch r.IntN(6) {
		case 0:
			if typ != reflect.TypeFor[uint8]() { // a list of bytes is refused
				typ = reflect.SliceOf(typ)
			}
		case 1:
			typ = reflect.ArrayOf(2, typ)
		case 2:
			typ = reflect.PointerTo(typ)
		case 3:
			option = ",omitempty"
		}
		tag := fmt.Sprintf(`json:"f%d%s"`, i, option)
		if k := typ.Kind(); reflect.Int <= k && k <= reflect.Uint64 && r.IntN(3) == 0 {
			tag += ` enum:"1,3,100"`
		}
		fields = append(fields, reflect.StructField{Name: "F" + strconv.Itoa(i), Type: typ, Tag: reflect.StructTag(tag)})
	}
	return reflect.StructOf(fields)
}

var oddNumbers = []string{
	"3", "3.0", "1e2", "-0", "-0.0", "0", "100", "1.0e0", "255", "256", "-128.0", "-129", "65535", "65536.0", "2147483648", "4294967295.00",
	"9223372036854775807", "9223372036854775808", "-9223372036854775808.0", "-9223372036854775809", "18446744073709551615",
	"18446744073709551616", "1.8446744073709551615e19", "1e18", "1e19", "1e38", "1e39", "1e308", "1e309", "-1e999", "3.5", "1e-7", "5e-400",
	"0e5", "0.0e-999", "9007199254740993", "1E+2", "123456789e-3", "1e99999999999",
}

// randomArgs are arguments for t, mostly of the right types.
func randomArgs(r *rand.Rand, t reflect.Type) string {
	if r.IntN(40) == 0 {
		return []string{"null", "true", `"x"`, "[]", "{}", "1.5"}[r.IntN(6)]
	}
	switch {
	case t == reflect.TypeFor[time.Time]():
		return []string{`"2026-01-31T15:04:05Z"`, `"2026-01-31T15:04:05.123456789123+23:59"`, `"0000-02-29T00:00:00Z"`, `"2026-02-30T00:00:00Z"`,
			`"2026-01-31t15:04:05z"`, `"9999-12-31T23:59:60Z"`, `"2026-01-31T24:00:00Z"`}[r.IntN(7)]
	case t == reflect.TypeFor[shelfMark]():
		return []string{`"A1"`, `"\u0041"`, `"a"`}[r.IntN(3)]
	case t == reflect.TypeFor[json.Number](), isNumber(t):
		if r.IntN(2) == 0 {
			return []string{"1", "3", "100", "3.0", "1e2"}[r.IntN(5)]
		}
		return oddNumbers[r.IntN(len(oddNumbers))]
	}
	switch t.Kind() {
	case reflect.Pointer:
		return randomArgs(r, t.Elem())
	case reflect.Slice, reflect.Array:
		var items []string
		for range 2 + r.IntN(20)/19 {
			items = append(items, randomArgs(r, t.Elem()))
		}
		return "[" + strings.Join(items, ", ") + "]"
	case reflect.Struct:
		var members []string
		for f := range t.Fields() {
			name, option, _ := strings.Cut(f.Tag.Get("json"), ",")
			if option != "" && r.IntN(2) == 0 {
				continue
			}
			members = append(members, strconv.Quote(name)+" : "+randomArgs(r, f.Type))
		}
		r.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
		return "{" + strings.Join(members, ",") + "}"
	case reflect.Bool:
		return "true"
	}
	return `"x"`
}
