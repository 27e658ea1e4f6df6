package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

type isbnPage struct {
	Kind  string   `json:"kind" enum:"text,plate"`
	Marks []string `json:"marks,omitempty" maxitems:"2" pattern:"^[a-z]+$"`
}

type constrained struct {
	ISBN  string     `json:"isbn" jsonschema:"digits" minlen:"10" maxlen:"13" pattern:"^[0-9]{9,12}[0-9X]$"`
	Year  *int       `json:"year" min:"-3000" max:"2100"`
	Stars float64    `json:"stars,omitempty" min:"0.5" max:"5" enum:"0.5,1,5"`
	Pages []isbnPage `json:"pages,omitempty" minitems:"1"`
	Due   *time.Time `json:"due"`
	Day   string     `json:"day,omitempty" format:"date"`
	Small uint8      `json:"small,omitempty" max:"9"`
}

func TestConstraintTagsAppearInTheSchema(t *testing.T) {
	t.Parallel()
	require.Equal(t, `{"type":"object","properties":{`+
		`"isbn":{"type":"string","description":"digits","minLength":10,"maxLength":13,"pattern":"^[0-9]{9,12}[0-9X]$"},`+
		`"year":{"type":"integer","minimum":-3000,"maximum":2100},`+
		`"stars":{"type":"number","enum":[0.5,1,5],"minimum":0.5,"maximum":5},`+
		`"pages":{"type":"array","items":{"type":"object","properties":{"kind":{"type":"string","enum":["text","plate"]},"marks":{"type":"array","items":{"type":"string","pattern":"^[a-z]+$"},"maxItems":2}},"required":["kind"],"additionalProperties":false},"minItems":1},`+
		`"due":{"type":"string","format":"date-time"},`+
		`"day":{"type":"string","format":"date"},`+
		`"small":{"type":"integer","minimum":0,"maximum":9}},`+
		`"required":["isbn"],"additionalProperties":false}`,
		string(schemaOf[constrained](t).doc))
}

func TestConstraintsAreChecked(t *testing.T) {
	t.Parallel()
	s := schemaOf[constrained](t)
	for args, want := range map[string]string{
		`{"isbn":"9780306406157","year":-3000,"stars":5,"pages":[{"kind":"plate","marks":["a","b"]}],"due":"2026-01-31T15:04:05+01:00","day":"2024-02-29","small":9}`: "",
		`{"isbn":"0306406152","year":null,"stars":null,"pages":null,"due":null,"day":null,"small":null}`:                                                              "",
		`{"isbn":"030640615x"}`:                      `isbn: must match ^[0-9]{9,12}[0-9X]$, not "030640615x"`,
		`{"isbn":"0"}`:                               `isbn: must have at least 10 characters, not 1; isbn: must match ^[0-9]{9,12}[0-9X]$, not "0"`,
		`{"isbn":"` + strings.Repeat("7", 99) + `"}`: `isbn: must have at most 13 characters, not 99; isbn: must match ^[0-9]{9,12}[0-9X]$, not "7777777777777777777777777777777777777777"…`,
		`{"isbn":"0306406152","pages":[]}`:           `pages: must have at least 1 items, not 0`,
		`{"isbn":"0306406152","pages":[{"kind":"text"},{"kind":"text"},{"kind":"x","marks":["a","B","c"]}]}`: `pages[2].kind: must be one of "text", "plate", not "x"; pages[2].marks: must have at most 2 items, not 3; pages[2].marks[1]: must match ^[a-z]+$, not "B"`,
		`{"isbn":"0306406152","year":2101}`:      `year: must be at most 2100, not 2101`,
		`{"isbn":"0306406152","year":-1000000}`:  `year: must be at least -3000, not -1000000`,
		`{"isbn":"0306406152","stars":2}`:        `stars: must be one of 0.5, 1, 5, not 2`,
		`{"isbn":"0306406152","day":"31.1."}`:    `day: must be a valid date, for example 2026-01-31, not "31.1."`,
		`{"isbn":"0306406152","due":"tomorrow"}`: `due: must be a valid date-time, for example 2026-01-31T15:04:05Z, not "tomorrow"`,
		`{"isbn":"0306406152","small":10}`:       `small: must be at most 9, not 10`,
	} {
		_, err := s.validate(json.RawMessage(args))
		if want == "" {
			require.NoError(t, err, args)
			continue
		}
		require.EqualError(t, err, "tools: correction: the arguments do not fit: "+want)
	}
}

// Lengths are in characters, as JSON Schema has them, whatever the bytes.
func TestLengthsAreInCharacters(t *testing.T) {
	t.Parallel()
	s := schemaOf[struct {
		Word string `json:"word" minlen:"2" maxlen:"3"`
	}](t)
	for word, fits := range map[string]bool{"é": false, "éé": true, "日本語": true, "😀😀😀": true, "😀😀😀😀": false} {
		_, err := s.validate(json.RawMessage(`{"word":"` + word + `"}`))
		require.Equal(t, fits, err == nil, "%s: %v", word, err)
	}
}

// A model cannot buy CPU with long texts for a costly pattern.
func TestPatternWorkIsBounded(t *testing.T) {
	t.Parallel()
	s := schemaOf[struct {
		Words []string `json:"words" pattern:"^(?:[a-z]{0,50} ?){0,15}$"`
	}](t)
	list := func(n, size int) []byte {
		return []byte(`{"words":[` + strings.TrimSuffix(strings.Repeat(`"`+strings.Repeat("a", size)+`",`, n), ",") + `]}`)
	}
	_, err := s.validate(list(10, 100))
	require.NoError(t, err)
	for _, raw := range [][]byte{list(1, 1<<20), list(1000, 700)} {
		_, err = s.validate(raw)
		require.ErrorContains(t, err, `is too long to compare with ^(?:[a-z]{0,50} ?){0,15}$: send shorter texts`)
	}
}

func TestLongEnumsAreShortenedInMessages(t *testing.T) {
	t.Parallel()
	s := schemaOf[struct {
		L string `json:"l" enum:"a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r"`
	}](t)
	_, err := s.validate([]byte(`{"l":"z"}`))
	require.ErrorContains(t, err, `"p", and 2 more`)
}

func TestFormatsAcceptAndRejectTexts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ fits, not []string }{
		"date":      {[]string{"2026-01-31", "2024-02-29"}, []string{"", "2026-1-31", "2025-02-29", "2026-01-31 ", "20260131", "2026-01-31T00:00:00Z"}},
		"time":      {[]string{"15:04:05Z", "00:00:00.125+01:00"}, []string{"", "15:04", "15:04:05", "24:00:00Z", "5:04:05Z"}},
		"date-time": {[]string{"2026-01-31T15:04:05Z", "2026-01-31T15:04:05.5-07:00"}, []string{"", "2026-01-31", "2026-01-31 15:04:05Z", "2026-01-31T15:04:05", "2026-02-30T15:04:05Z", "2026-01-31T15:04:05,5Z", "2026-01-31T15:04:05+24:00"}},
		"email":     {[]string{"a@example.com", "a.b+c@sub.example.com"}, []string{"", "a", "a@", "@b", "A <a@example.com>", "a@b@c", "a@example.com ", "ä@example.com", strings.Repeat("a", 255) + "@b"}},
		"uuid":      {[]string{"018f4e9a-7b1c-7d2e-9f3a-4b5c6d7e8f90", "018F4E9A-7B1C-7D2E-9F3A-4B5C6D7E8F90"}, []string{"", "018f4e9a7b1c7d2e9f3a4b5c6d7e8f90", "{018f4e9a-7b1c-7d2e-9f3a-4b5c6d7e8f90}", "018f4e9a-7b1c-7d2e-9f3a-4b5c6d7e8f9g"}},
		"uri":       {[]string{"https://example.com/a?b=c#d", "mailto:a@example.com", "urn:isbn:0306406152", "file:///a"}, []string{"", "example.com", "/a", "//example.com", "https://", "https://exa mple.com", "https://example.com/ä", "https://example.com/%zz", "a:"}},
	} {
		require.True(t, formats[name].isValid(formats[name].example), name)
		for _, s := range c.fits {
			require.True(t, formats[name].isValid(s), "%s %q", name, s)
		}
		for _, s := range c.not {
			require.False(t, formats[name].isValid(s), "%s %q", name, s)
		}
	}
	require.Len(t, formats, 6, "each has its cases above")
}

// A tag that means nothing, or that no value could satisfy, is refused when the tool is made, with the path.
func TestInvalidTagsAreRejected(t *testing.T) {
	t.Parallel()
	type deep struct {
		L []struct {
			N int `json:"n" pattern:"x"`
		} `json:"l"`
	}
	type inner struct {
		A string `json:"a" min:"1"`
	}
	type embeds struct {
		inner
	}
	for want, in := range map[string]any{
		`l[].n: the tag pattern:"x" does not fit`: deep{},
		`a: the tag min:"1" does not fit`:         embeds{},
		`s: the tag max:"1" does not fit`: struct {
			S string `json:"s" max:"1"`
		}{},
		`n: the tag minlen:"1" does not fit`: struct {
			N int `json:"n" minlen:"1"`
		}{},
		`n: the tag format:"date" does not fit`: struct {
			N int `json:"n" format:"date"`
		}{},
		`b: the tag enum:"true" does not fit`: struct {
			B bool `json:"b" enum:"true"`
		}{},
		`o: the tag enum:"a" does not fit`: struct {
			O struct{} `json:"o" enum:"a"`
		}{},
		`s: the tag maxitems:"1" does not fit`: struct {
			S string `json:"s" maxitems:"1"`
		}{},
		`a: the tag maxitems:"1" does not fit`: struct {
			A [2]int `json:"a" maxitems:"1"`
		}{},
		`t: the tag format:"date" does not fit`: struct {
			T time.Time `json:"t" format:"date"`
		}{},
		`s: the tag format:"phone" is not a known format`: struct {
			S string `json:"s" format:"phone"`
		}{},
		`s: the tag pattern:"(" error parsing`: struct {
			S string `json:"s" pattern:"("`
		}{},
		`s: the tag pattern:"" is empty`: struct {
			S string `json:"s" pattern:""`
		}{},
		`s: the tag pattern:"(?i)a" is empty, or has`: struct {
			S string `json:"s" pattern:"(?i)a"`
		}{},
		`s: the tag pattern:"a\\z" is empty, or has`: struct {
			S string `json:"s" pattern:"a\\z"`
		}{},
		`s: the tag pattern:"[[:alpha:]]" is empty, or has`: struct {
			S string `json:"s" pattern:"[[:alpha:]]"`
		}{},
		`n: the tag min:"x" has "x", which is not a number`: struct {
			N int `json:"n" min:"x"`
		}{},
		`n: the tag min:"null" has "null"`: struct {
			N int `json:"n" min:"null"`
		}{},
		`n: the tag min:" 1" has " 1"`: struct {
			N int `json:"n" min:" 1"`
		}{},
		`n: the tag min:"1.5" has "1.5", which is not an int`: struct {
			N int `json:"n" min:"1.5"`
		}{},
		`n: the tag max:"9007199254740992" has`: struct {
			N int64 `json:"n" max:"9007199254740992"`
		}{},
		`n: the tag max:"300" lies beyond`: struct {
			N uint8 `json:"n" max:"300"`
		}{},
		`n: the tag min:"-1" lies beyond`: struct {
			N uint `json:"n" min:"-1"`
		}{},
		`n: the tag max:"1" lies beyond`: struct {
			N int `json:"n" min:"2" max:"1"`
		}{},
		`s: a length cannot be at least 2 and at most 1`: struct {
			S string `json:"s" minlen:"2" maxlen:"1"`
		}{},
		`l: a number of items cannot be at least 2 and at most 1`: struct {
			L []int `json:"l" minitems:"2" maxitems:"1"`
		}{},
		`s: the tag minlen:"-1" has "-1"`: struct {
			S string `json:"s" minlen:"-1"`
		}{},
		`s: the tag enum:"" has a value that is empty`: struct {
			S string `json:"s" enum:""`
		}{},
		`s: the tag enum:"a,,b" has a value that is empty`: struct {
			S string `json:"s" enum:"a,,b"`
		}{},
		`s: the tag enum:"a, b" has a value that is empty`: struct {
			S string `json:"s" enum:"a, b"`
		}{},
		`s: the tag enum:"a,b,a" has "a" twice`: struct {
			S string `json:"s" enum:"a,b,a"`
		}{},
		`n: the tag enum:"1,1.0" has "1.0" twice`: struct {
			N int `json:"n" enum:"1,1.0"`
		}{},
		`n: the tag enum:"one" has "one", which is no`: struct {
			N int `json:"n" enum:"one"`
		}{},
		`n: the enum does not fit the other tags: must be at most 5, not 7`: struct {
			N int `json:"n" enum:"1,7" max:"5"`
		}{},
		`s: the enum does not fit the other tags: must match ^a$, not "b"`: struct {
			S string `json:"s" enum:"a,b" pattern:"^a$"`
		}{},
		`s: the enum does not fit the other tags: must be a valid date, for example 2026-01-31, not "x"`: struct {
			S string `json:"s" enum:"x" format:"date"`
		}{},
		`n: invalid tag "minimum"`: struct {
			N int `json:"n" minimum:"1"`
		}{},
		`hidden: the tag "min" does not apply`: struct {
			hidden int `min:"1"`
		}{},
		`Skip: the tag "enum" does not apply`: struct {
			Skip string `json:"-" enum:"a"`
		}{},
	} {
		_, err := newSchema(reflect.TypeOf(in), nil)
		require.ErrorContains(t, err, want)
	}
	// New returns the same error under its sentinel.
	_, err := New("t", "d", noop[deep])
	require.ErrorIs(t, err, ErrSchema)
	require.ErrorContains(t, err, ": t: l[].n: the tag")
}

// Reserved words are refused wherever a name stands, whatever the tags; what enums offer are values, not names.
func TestTagsDoNotAllowReservedWords(t *testing.T) {
	t.Parallel()
	_, err := newSchema(reflect.TypeFor[struct {
		L []struct {
			M [][]struct {
				SortKey string `json:"sort_key" enum:"title,year"`
			} `json:"m" minitems:"1"`
		} `json:"l" maxitems:"3"`
	}](), nil)
	require.ErrorContains(t, err, `l[].m[][].sort_key: the word "key" is reserved`)
	schemaOf[struct {
		Column string `json:"column" enum:"tenant,user,key"`
	}](t)
}

func TestPatternsMustBeJSONSchema(t *testing.T) {
	t.Parallel()
	for _, ok := range []string{`^a$`, `(?:a|b)+`, `\\z`, `[:;]`, `\(?x`, `\d{3}-\w\s\b`, `[^\]]`, `a\.b`} {
		require.NoError(t, constraints{patterns: map[string]pattern{}}.addPattern(ok), ok)
	}
	for _, no := range []string{`(?s)a`, `(?P<n>a)`, `(?<n>a)`, `\Aa`, `a\\\z`, `\Qa\E`, `\pL`, `\x{41}`, `[[:^digit:]]`, `a(?=b)`, `(a)\1`} {
		require.Error(t, constraints{patterns: map[string]pattern{}}.addPattern(no), no)
	}
}

// The function sees only arguments that its tags allow.
func FuzzArguments(f *testing.F) {
	for _, s := range []string{
		`{"isbn":"9780306406157","year":-3000,"stars":5,"pages":[{"kind":"plate","marks":["a","b"]}],"due":"2026-01-31T15:04:05+01:00","day":"2024-02-29","small":9}`,
		`{"isbn":"030640615X","pages":[{"kind":"text"}],"year":null}`, `{"isbn":"0306406152","year":1e3}`, `{"isbn":"0306406152","small":-0}`, `[]`,
	} {
		f.Add([]byte(s))
	}
	isbn, mark := regexp.MustCompile(`^[0-9]{9,12}[0-9X]$`), regexp.MustCompile(`^[a-z]+$`)
	tool := mustNew(f, func(_ context.Context, _ *Call, in constrained) (string, error) {
		fits := isbn.MatchString(in.ISBN) && (in.Year == nil || -3000 <= *in.Year && *in.Year <= 2100) &&
			slices.Contains([]float64{0, 0.5, 1, 5}, in.Stars) && in.Small <= 9
		for _, p := range in.Pages {
			fits = fits && (p.Kind == "text" || p.Kind == "plate") && len(p.Marks) <= 2
			for _, m := range p.Marks {
				fits = fits && mark.MatchString(m)
			}
		}
		if in.Day != "" {
			_, err := time.Parse(time.DateOnly, in.Day)
			fits = fits && err == nil
		}
		if !fits {
			panic(fmt.Sprintf("%+v", in))
		}
		return "", nil
	})
	f.Fuzz(func(t *testing.T, args []byte) {
		if _, err := tool.Call(t.Context(), NewCall(CallOptions{Args: args})); err != nil {
			require.True(t, hasType[*CorrectionError](err), "%v", err)
		}
	})
}

func TestUnusualPropertyNamesAreChecked(t *testing.T) {
	t.Parallel()
	s := schemaOf[struct {
		Times []time.Time `json:"times,omitempty" maxitems:"1"`
		Same  time.Time   `json:"same,omitzero" format:"date-time"`
		Plain string      `minlen:"2"`
	}](t)
	_, err := s.validate([]byte(`{"times":["x"],"Plain":"p"}`))
	require.EqualError(t, err,
		`tools: correction: the arguments do not fit: times[0]: must be a valid date-time, for example 2026-01-31T15:04:05Z, not "x"; Plain: must have at least 2 characters, not 1`)
}
