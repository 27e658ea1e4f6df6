package presign_test

import (
	"encoding/base64"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/scope/object"
)

// showGrant writes a grant, with one line for each parameter of the URL.
func showGrant(out *strings.Builder, title string, g presign.Grant) {
	fmt.Fprintf(out, "-- %s --\n%s %s\n", title, g.Method, strings.ReplaceAll(g.URL, "&", "\n  &"))
	for _, name := range slices.Sorted(maps.Keys(g.Headers)) {
		fmt.Fprintf(out, "%s: %s\n", name, g.Headers[name])
	}
	fmt.Fprintf(out, "size %d, bucket %s, key %s, expires %s\n", g.Size, g.Bucket, g.Key, g.Expires.Format(time.RFC3339))
}

func showForm(t *testing.T, out *strings.Builder, title string, f presign.Form) {
	t.Helper()
	fmt.Fprintf(out, "-- %s --\nPOST %s\n", title, f.URL)
	for _, name := range slices.Sorted(maps.Keys(f.Fields)) {
		value := f.Fields[name]
		if name == "policy" {
			policy, err := base64.StdEncoding.DecodeString(value)
			require.NoError(t, err)
			value = "base64 of " + strings.ReplaceAll(string(policy), "},", "},\n  ")
		}
		fmt.Fprintf(out, "%s: %s\n", name, value)
	}
	fmt.Fprintf(out, "size %d to %d, bucket %s, key %s, expires %s\n", f.MinSize, f.MaxSize, f.Bucket, f.Key, f.Expires.Format(time.RFC3339))
}

// stored returns a Ref with a pin, as a record stores it.
func stored(t testing.TB, name, pin string) object.Ref {
	t.Helper()
	root, err := must.Get(object.New(object.NewMemory(), "carrel-landing", nil)).In(session(t))
	require.NoError(t, err)
	ref, err := root.ParseRef(fmt.Appendf(nil, `{"bucket":"carrel-landing","key":%q%s}`, session(t).Prefix()+name, pin))
	require.NoError(t, err)
	return ref
}

func TestGoldenPut(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	show := func(title string, o *presign.PutOptions) {
		synctest.Test(t, func(t *testing.T) {
			g, err := signer(t, client(&vault{}), nil).Put(t.Context(), session(t), "front cover+1=ü.jpg", o)
			require.NoError(t, err)
			showGrant(&out, title, g)
		})
	}
	show("all", &presign.PutOptions{Type: "image/jpeg", Size: 5, SHA256: sum[:]})
	show("no digest", &presign.PutOptions{Type: "text/plain; charset=utf-8", Size: 5, Expires: time.Minute})
	show("unsized", &presign.PutOptions{AllowUnsized: true})
	show("unsized, with a type", &presign.PutOptions{AllowUnsized: true, Type: "image/png", Expires: 7 * 24 * time.Hour})

	want, err := os.ReadFile("testdata/put.golden")
	require.NoError(t, err)
	require.Equal(t, string(want), out.String())
}

// The golden file shows if a version of the SDK moves a header out of the
// signature or signs another one.
func TestGoldenGrants(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	const name = "front cover+1=ü.jpg"
	// The bubble's clock stands at 2000-01-01T00:00:00Z, so signatures repeat.
	in := func(show func(t *testing.T, s *presign.Signer)) {
		synctest.Test(t, func(t *testing.T) {
			show(t, signer(t, client(&vault{}), &presign.Options{Types: []string{"image/jpeg", "text/plain"}}))
		})
	}
	get := func(title string, ref object.Ref, o *presign.GetOptions) {
		in(func(t *testing.T, s *presign.Signer) {
			g, err := s.Get(t.Context(), ref, o)
			require.NoError(t, err)
			showGrant(&out, title, g)
		})
	}
	get("get", stored(t, name, ""), nil)
	get("get, pinned by ETag, of a type that is not allowed", stored(t, "a.html", `,"etag":"\"e\""`), &presign.GetOptions{Type: "text/html"})
	get("get, pinned by version, inline", stored(t, "a.jpg", `,"version":"v+1/="`),
		&presign.GetOptions{Type: "image/jpeg", Inline: true, Name: `"front" cover's.jpg`, Expires: time.Minute})

	plan := presign.Multipart{ID: "an+id/=", Name: name, Type: "image/jpeg", Size: 12 << 20, PartSize: 5 << 20}
	in(func(t *testing.T, s *presign.Signer) {
		g, err := s.Part(t.Context(), session(t), plan, 1, nil)
		require.NoError(t, err)
		showGrant(&out, "part", g)
	})
	plan.Digests = true
	in(func(t *testing.T, s *presign.Signer) {
		g, err := s.Part(t.Context(), session(t), plan, 3, &presign.PartOptions{SHA256: sum[:]})
		require.NoError(t, err)
		showGrant(&out, "last part, with a digest", g)
	})

	in(func(t *testing.T, s *presign.Signer) {
		f, err := s.Post(t.Context(), session(t), name, &presign.PostOptions{Type: "image/jpeg", MinSize: 1, MaxSize: 20 << 20, SHA256: sum[:]})
		require.NoError(t, err)
		showForm(t, &out, "form", f)
	})
	in(func(t *testing.T, s *presign.Signer) {
		f, err := s.Post(t.Context(), session(t), `<"a" & b>.txt`, &presign.PostOptions{Type: `text/plain; charset="utf-8"`, MaxSize: 10, Expires: time.Hour})
		require.NoError(t, err)
		showForm(t, &out, "form, with what JSON escapes", f)
	})

	want, err := os.ReadFile("testdata/grants.golden")
	require.NoError(t, err)
	require.Equal(t, string(want), out.String())
}
