package tools

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestStateKeepsValues(t *testing.T) {
	t.Parallel()
	var s State
	n := 7
	ok, err := s.Get("n", &n)
	require.NoError(t, err)
	require.False(t, ok)
	require.Equal(t, 7, n, "left alone")

	n = 0
	require.NoError(t, s.Update("n", &n, func() error { n++; return nil }))
	stop := errors.New("stop")
	require.Same(t, stop, s.Update("n", &n, func() error { n = 99; return stop }))
	require.Panics(t, func() { _ = s.Update("n", &n, func() error { n = 99; panic("boom") }) })
	ok, err = s.Get("n", &n)
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, 1, n)

	var text string
	_, err = s.Get("n", &text)
	require.ErrorContains(t, err, `tools: state "n": json: cannot unmarshal`)
	require.ErrorContains(t, s.Update("n", &text, func() error { t.Fatal("asked"); return nil }), `state "n"`)
	var ch chan int
	require.ErrorContains(t, s.Update("c", &ch, func() error { return nil }), `state "c"`)
	for _, name := range []string{"", "\xff"} {
		require.ErrorIs(t, s.Update(name, &n, func() error { return nil }), errState)
	}

	c := s.Clone()
	require.NoError(t, c.Update("n", &n, func() error { n = 2; return nil }))
	require.NoError(t, c.Update("<m>", &n, func() error { return nil }))
	a, err := json.Marshal(&s)
	require.NoError(t, err)
	require.Equal(t, `{"n":1}`, string(a))
	b, err := json.Marshal(c)
	require.NoError(t, err)
	var back State
	require.NoError(t, json.Unmarshal(b, &back))
	again, err := json.Marshal(&back)
	require.NoError(t, err)
	require.Equal(t, string(b), string(again))
	a, err = json.Marshal(&State{})
	require.NoError(t, err)
	require.Equal(t, `{}`, string(a))
}

func TestStateRejectsInvalidJSON(t *testing.T) {
	t.Parallel()
	var s State
	require.NoError(t, s.UnmarshalJSON([]byte(`{"a":[1]}`)))
	for _, bad := range []string{
		``, `null`, `[]`, `"a"`, `1`, `{`, `{"a":1}{}`, `{"a":1} x`, `{"a":1,"a":2}`, `{"a":{"b":1,"b":2}}`, `{"":1}`, "{\"a\":\"\xff\"}",
		`{"a":"` + strings.Repeat("x", maxState) + `"}`,
		`{"a":"` + strings.Repeat("<", maxState/5) + `"}`, // \u003c in what MarshalJSON would write
	} {
		require.ErrorIs(t, s.UnmarshalJSON([]byte(bad)), errState, "%.40s", bad)
	}
	b, err := s.MarshalJSON()
	require.NoError(t, err)
	require.Equal(t, `{"a":[1]}`, string(b), "unchanged")
}

// The bound is of the bytes that are stored, to the byte.
// A value that UnmarshalJSON would reject must not be stored, because the conversation could not be loaded again.
func TestStateStoresOnlyWhatItCanReadAgain(t *testing.T) {
	t.Parallel()
	deep := func(levels int) string { return strings.Repeat("[", levels) + strings.Repeat("]", levels) }
	for raw, want := range map[string]string{
		`{"a":1,"a":2}`: `tools: invalid state: the value of "x" is ambiguous: the name "a" appears twice`,
		`"\ud800"`:      `the value of "x" is `,
		deep(500):       `the value of "x" is `,
		deep(499):       "",
		`{"a":[1,2]}`:   "",
	} {
		var s State
		var v json.RawMessage
		err := s.Update("x", &v, func() error { v = json.RawMessage(raw); return nil })
		if want != "" {
			require.ErrorIs(t, err, errState)
			require.ErrorContains(t, err, want)
			ok, err := s.Get("x", &v)
			require.NoError(t, err)
			require.False(t, ok, raw)
			continue
		}
		require.NoError(t, err)
		b, err := json.Marshal(&s)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(b, new(State)))
	}
}

func TestStateSizeIsBounded(t *testing.T) {
	t.Parallel()
	var s State
	one := "x"
	require.NoError(t, s.Update(`"quoted"`, &one, func() error { return nil }))
	b, err := json.Marshal(&s)
	require.NoError(t, err)
	room := maxState - len(b) - len(`,"y":""`)
	fill := ""
	put := func(n int) error {
		return s.Update("y", &fill, func() error { fill = strings.Repeat("z", n); return nil })
	}
	require.NoError(t, put(room))
	b, err = json.Marshal(&s)
	require.NoError(t, err)
	require.Len(t, b, maxState)
	require.NoError(t, new(State).UnmarshalJSON(b))
	require.ErrorIs(t, put(room+1), errState)
	require.NoError(t, put(0), "there is room again")
}

func TestStateIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	var s State
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 50 {
				n := 0
				if err := s.Update("n", &n, func() error { n++; return nil }); err != nil {
					t.Error(err)
				}
				own := 0
				if err := s.Clone().Update(fmt.Sprint(i), &own, func() error { own++; return nil }); err != nil {
					t.Error(err)
				}
				if _, err := json.Marshal(&s); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	b, err := json.Marshal(&s)
	require.NoError(t, err)
	require.Equal(t, `{"n":400}`, string(b))
}

func FuzzState(f *testing.F) {
	for _, s := range []string{`{}`, `{"a":[1],"b":{"c":"<"}}`, `null`, `{"a":1,"a":2}`, ` { "ü" : 1e3 } `, `{"":1}`, `{"a":1}{}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var s State
		if s.UnmarshalJSON(raw) != nil {
			require.Empty(t, s.values)
			return
		}
		// Each accepted State is written in one form, within the limit, and reads back equal.
		b, err := json.Marshal(&s)
		require.NoError(t, err)
		require.LessOrEqual(t, len(b), maxState)
		var again State
		require.NoError(t, again.UnmarshalJSON(b))
		c, err := json.Marshal(&again)
		require.NoError(t, err)
		require.Equal(t, string(b), string(c))
	})
}
