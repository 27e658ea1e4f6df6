package object_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
)

const base = "tenant=acme/user=u1/uploads/" + sessionID + "/"

func TestRefJSONRoundTrips(t *testing.T) {
	t.Parallel()
	r := rootOf(t, must.Get(object.New(object.NewMemory(), "b", nil)), session(t, "acme", "u1"))
	plain := refTo(t, r, "it's <ü> & \uFFFD co.txt")
	pinned, _, err := r.Put(t.Context(), plain, strings.NewReader("x"), nil)
	require.NoError(t, err)
	for _, f := range []object.Ref{plain, pinned} {
		raw, err := json.Marshal(f)
		require.NoError(t, err)
		back, err := r.ParseRef(raw)
		require.NoError(t, err)
		require.Equal(t, f, back)
	}
	raw, err := json.Marshal(refTo(t, r, "a.txt"))
	require.NoError(t, err)
	require.Equal(t, `{"bucket":"b","key":"`+base+`a.txt"}`, string(raw))
}

func TestParseRefKeepsThePin(t *testing.T) {
	t.Parallel()
	r := rootOf(t, must.Get(object.New(object.NewMemory(), "b", nil)), session(t, "acme", "u1"))
	f, err := r.ParseRef([]byte(` { "version": "3HL4k", "key": "` + base + `a.txt", "bucket": "b" } `))
	require.NoError(t, err)
	require.Equal(t, "3HL4k", f.Version())
	require.Equal(t, "a.txt", f.Name())
	require.Equal(t, r.Scope(), f.Scope())
	f, err = r.ParseRef([]byte(`{"bucket":"b","key":"` + base + `a.txt","etag":"\"abc\""}`))
	require.NoError(t, err)
	require.Equal(t, `"abc"`, f.ETag())
	f, err = r.ParseRef([]byte(`{"bucket":"b","key":"` + base + `a.txt","version":"` + strings.Repeat("x", 1024) + `"}`))
	require.NoError(t, err)
	require.Len(t, f.Version(), 1024)
}

func TestParseRefRejectsMalformedRefs(t *testing.T) {
	t.Parallel()
	r := rootOf(t, must.Get(object.New(object.NewMemory(), "b", nil)), session(t, "acme", "u1"))
	good := `"bucket":"b","key":"` + base + `a.txt"`
	for what, raw := range map[string]string{
		"nothing":           ``,
		"null":              `null`,
		"a string":          `"` + base + `a.txt"`,
		"an array":          `[{` + good + `}]`,
		"two values":        `{` + good + `}{}`,
		"cut short":         `{` + good,
		"no bucket":         `{"key":"` + base + `a.txt"}`,
		"no key":            `{"bucket":"b"}`,
		"an unknown member": `{` + good + `,"tenant":"globex"}`,
		"another case":      `{` + good + `,"Key":"` + base + `b.txt"}`,
		"a member twice":    `{` + good + `,"key":"` + base + `b.txt"}`,
		"a number":          `{"bucket":1,"key":"` + base + `a.txt"}`,
		"an object":         `{"bucket":{},"key":"` + base + `a.txt"}`,
		"an empty pin":      `{` + good + `,"etag":""}`,
		"two pins":          `{` + good + `,"etag":"\"x\"","version":"y"}`,
		"any ETag":          `{` + good + `,"etag":"*"}`,
		"CRLF in a pin":     `{` + good + `,"version":"x\r\ny: z"}`,
		"a huge pin":        `{` + good + `,"version":"` + strings.Repeat("x", 1025) + `"}`,
		"huge":              `{` + good + strings.Repeat(" ", 9000) + `}`,
		"not UTF-8":         "{\"bucket\":\"b\",\"key\":\"" + base + "\xff.txt\"}",
		"half a surrogate":  `{"bucket":"b","key":"` + base + `a\ud800b"}`,
		"dots":              `{"bucket":"b","key":"` + base + `../a.txt"}`,
		"a directory":       `{"bucket":"b","key":"` + base + `"}`,
		"no layout":         `{"bucket":"b","key":"a.txt"}`,
	} {
		_, err := r.ParseRef([]byte(raw))
		require.ErrorIs(t, err, object.ErrInvalid, what)
	}
	for what, raw := range map[string]string{
		"another bucket":  `{"bucket":"c","key":"` + base + `a.txt"}`,
		"another user":    `{"bucket":"b","key":"` + strings.Replace(base, "u1", "u2", 1) + `a.txt"}`,
		"another session": `{"bucket":"b","key":"` + strings.Replace(base, "0190", "0191", 1) + `a.txt"}`,
		"the user":        `{"bucket":"b","key":"tenant=acme/user=u1/a.txt"}`,
	} {
		_, err := r.ParseRef([]byte(raw))
		require.ErrorIs(t, err, object.ErrOutside, what)
		require.ErrorIs(t, err, object.ErrNotFound, what)
	}
}

// FuzzParseRef checks that every parsed Ref is inside the root and round-trips.
func FuzzParseRef(f *testing.F) {
	f.Add([]byte(`{"bucket":"b","key":"` + base + `a.txt"}`))
	f.Add([]byte(`{"bucket":"b","key":"` + base + `\u00fc.txt","etag":"\"x\""}`))
	f.Add([]byte(`{"version":"x","bucket":"b","key":"tenant=globex/shared/a"}`))
	tenant, err := scope.Tenant("acme")
	require.NoError(f, err)
	r := rootOf(f, must.Get(object.New(object.NewMemory(), "b", nil)), tenant)
	f.Fuzz(func(t *testing.T, raw []byte) {
		ref, err := r.ParseRef(raw)
		if err != nil {
			require.True(t, ref.IsZero())
			return
		}
		require.True(t, strings.HasPrefix(ref.Key(), tenant.Prefix()))
		require.Equal(t, "b", ref.Bucket())
		out, err := json.Marshal(ref)
		require.NoError(t, err)
		back, err := r.ParseRef(out)
		require.NoError(t, err)
		require.Equal(t, ref, back)
	})
}
