package agent

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// requireGrown fails unless b is a, or a with more at its ends.
func requireGrown(t testing.TB, a, b any) {
	t.Helper()
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		require.True(t, ok)
		for k, v := range a {
			require.Contains(t, b, k)
			requireGrown(t, v, b[k])
		}
	case []any:
		b, ok := b.([]any)
		require.True(t, ok)
		require.GreaterOrEqual(t, len(b), len(a))
		for i, v := range a {
			requireGrown(t, v, b[i])
		}
	case string:
		s, ok := b.(string)
		require.True(t, ok)
		require.True(t, strings.HasPrefix(s, a), "%q, then %q", a, s)
	default:
		require.Equal(t, a, b)
	}
}

func randomValue(r *rand.Rand, depth int) any {
	n := 8
	if depth > 3 {
		n = 5
	}
	switch r.IntN(n) {
	case 0:
		return r.IntN(2) == 0
	case 1:
		return nil
	case 2:
		return json.Number([]string{"0", "-12", "3.25", "1e9", "-0.5E-7", "12345678901234567890"}[r.IntN(6)])
	case 3, 4:
		var s strings.Builder
		for range r.IntN(8) {
			s.WriteString([]string{"a", "ü", "\"", "\\", "\n", "\u2028", "😀", "{", "]", "<", "\x00", "\u007f"}[r.IntN(12)])
		}
		return s.String()
	case 5:
		list := make([]any, r.IntN(4))
		for i := range list {
			list[i] = randomValue(r, depth+1)
		}
		return list
	}
	return randomObject(r, depth+1)
}

func randomObject(r *rand.Rand, depth int) map[string]any {
	o := map[string]any{}
	for i := range r.IntN(5) {
		o[fmt.Sprintf("k%d\"é", i)] = randomValue(r, depth)
	}
	return o
}

// Any object, cut at every byte and written in pieces of any size, yields objects that only grow, never contradict the
// whole, and end as the whole.
func TestPartialsArePrefixesOfTheObject(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		doc, err := json.Marshal(randomObject(r, 0))
		require.NoError(t, err)
		if r.IntN(2) == 0 {
			doc, err = json.MarshalIndent(json.RawMessage(doc), "", "\t")
			require.NoError(t, err)
		}
		if r.IntN(2) == 0 { // as encoders of ASCII do
			doc = []byte(strings.NewReplacer("😀", `\ud83d\ude00`, "ü", `\u00FC`, "é", `\u00e9`).Replace(string(doc)))
		}
		var p partialScanner
		var last any = map[string]any{}
		for rest := string(doc); rest != ""; {
			n := 1 + r.IntN(min(4, len(rest)))
			p.write(rest[:n])
			rest = rest[n:]
			b := p.closedJSON()
			if b == nil {
				continue
			}
			var v any
			require.NoError(t, json.Unmarshal(b, &v), "%s", b)
			requireGrown(t, last, v)
			last = v
		}
		require.JSONEq(t, string(doc), string(p.closedJSON()))
	}
}

func TestPartialOfEachBeginning(t *testing.T) {
	t.Parallel()
	for doc, want := range map[string]string{
		"":                              "",
		"  ":                            "",
		"[1":                            "",
		`"a`:                            "",
		`{`:                             `{}`,
		`{"a`:                           `{}`,
		`{"a":`:                         `{}`,
		`{"a":1`:                        `{}`,
		`{"a":1 `:                       `{"a":1}`,
		`{"a":-}`:                       `{}`,
		`{"a":01,"b":1,`:                `{}`,
		`{"a":tru`:                      `{}`,
		`{"a":true`:                     `{"a":true}`,
		`{"a":trux`:                     `{}`,
		`{"a":[`:                        `{"a":[]}`,
		`{"a":[1,`:                      `{"a":[1]}`,
		`{"a":[1,]`:                     `{"a":[1]}`,
		`{"a":[1}`:                      `{"a":[1]}`,
		`{"a":[{"b":"`:                  `{"a":[{"b":""}]}`,
		`{"a":"x\`:                      `{"a":"x"}`,
		`{"a":"x\u00`:                   `{"a":"x"}`,
		`{"a":"x\u00e9`:                 `{"a":"x\u00e9"}`,
		`{"a":"x\ud83d`:                 `{"a":"x"}`,
		`{"a":"x\ud83d\u`:               `{"a":"x"}`,
		`{"a":"x\ud83d\ude00`:           `{"a":"x\ud83d\ude00"}`,
		`{"a":"x\ud83dy"}`:              `{"a":"x"}`,
		`{"a":"x\ude00y"}`:              `{"a":"x"}`,
		`{"a":"x\qy"}`:                  `{"a":"x"}`,
		"{\"a\":\"x\xc3":                `{"a":"x"}`,
		"{\"a\":\"x\xff\",":             `{"a":"x"}`,
		"{\"a\":\"x\ny\",":              `{"a":"x"}`,
		"{\"a\":\"x\\u\x10\x10\x10\x10": `{"a":"x"}`,
		`{"a":1} trailing`:              `{"a":1}`,
		`{"a":1,"b":"x", c`:             `{"a":1,"b":"x"}`,
		`{,`:                            `{}`,
	} {
		var p partialScanner
		for i := range len(doc) {
			p.write(doc[i : i+1])
		}
		require.Equal(t, want, string(p.closedJSON()), "%q", doc)
		var q partialScanner
		q.write(doc)
		require.Equal(t, want, string(q.closedJSON()), "%q at once", doc)
	}
}

// The Partials of a large answer in small pieces hold a bounded number of bytes, and the last one is complete.
func TestPartialsOfLargeAnswersAreBounded(t *testing.T) {
	t.Parallel()
	for name, doc := range map[string]string{
		"text":    `{"a":"` + strings.Repeat("x", 256<<10) + `"}`,
		"numbers": `{"a":[` + strings.Repeat("1,", 128<<10) + `1]}`,
	} {
		var s partialScanner
		var last []byte
		copied := 0
		for i := 0; i < len(doc); i += 4 {
			s.write(doc[i:min(i+4, len(doc))])
			if s.hasGrown() {
				last = s.takeObject()
				copied += len(last)
			}
		}
		require.Equal(t, doc, string(last), name)
		require.Less(t, copied, 66*len(doc)+eachPartial*eachPartial, name)
	}
}

// Any text yields nothing, or valid objects that only grow.
func FuzzPartialJSON(f *testing.F) {
	f.Add(`{"a":["x\ud83d\ude00",1.5e3,null,{"b":true}]}`, 3)
	f.Add("{\"a\":\"\xff\"", 1)
	f.Fuzz(func(t *testing.T, doc string, n int) {
		if n < 1 {
			return
		}
		var p partialScanner
		last := ""
		for rest := doc; rest != ""; {
			piece := rest[:min(n, len(rest))]
			rest = rest[len(piece):]
			p.write(piece)
			b := p.closedJSON()
			if b == nil {
				require.Empty(t, last)
				continue
			}
			require.True(t, json.Valid(b), "%q gives %q", doc, b)
			require.True(t, strings.HasPrefix(string(b), strings.TrimRight(last, `"]}`)), "%q, then %q", last, b)
			last = string(b)
		}
		if json.Valid([]byte(doc)) && strings.HasPrefix(strings.TrimLeft(doc, " \t\r\n"), "{") && p.state != invalid {
			require.JSONEq(t, doc, last)
		}
	})
}
