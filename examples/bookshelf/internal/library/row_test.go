package library_test

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/library"
	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// A row in the table keeps its form, so that a later version of the program reads it.
func TestStoredRows(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.added(w.user, `{"author":"Jane Austen","title":"Ema"}`)
	_, err := w.view().Correct(t.Context(), id, 1, titled(t, "Emma"))
	require.NoError(t, err)
	_, err = w.view().Share(t.Context(), id, 2)
	require.NoError(t, err)
	var got string
	for _, sc := range []scope.Scope{w.user, w.shared} {
		it, err := must.Get(w.table.In(sc)).Get(t.Context(), "book#"+id)
		require.NoError(t, err)
		got += it.Attr["book"].(string) + "\n"
	}
	got = regexp.MustCompile(id).ReplaceAllString(got, "ID")
	got = regexp.MustCompile(`\d{4}-\d\d-\d\dT[^"]+`).ReplaceAllString(got, "TIME")
	golden := filepath.Join("testdata", "rows.txt")
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(got), 0o600))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

// A shared copy from before it was recorded who has shared it is still a book.
func TestRowsWithoutASharer(t *testing.T) {
	t.Parallel()
	b, err := library.ParseRow("book#x", `{"metadata":{"title":"Emma"},"accepted":"2026-01-02T03:04:05Z","versions":[`+
		`{"version":2,"time":"2026-01-02T03:04:05Z","object":{"bucket":"raw","key":"tenant=acme/shared/x.000002.json"}}]}`)
	require.NoError(t, err)
	require.Equal(t, 2, b.Version)
	require.Empty(t, b.Versions[0].By)
}

// Any text in a row is a book or an error.
func FuzzStoredRow(f *testing.F) {
	f.Add(`{"metadata":{"title":"Emma"},"accepted":"2026-01-02T03:04:05Z","versions":[{"version":1,` +
		`"time":"2026-01-02T03:04:05Z","object":{"bucket":"raw","key":"tenant=acme/user=ann/x.json"}}]}`)
	f.Add(`{"metadata":{"title":"Emma"},"versions":[]}`)
	f.Add(`{"metadata":null,"versions":[{}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		b, err := library.ParseRow("book#x", text)
		if err == nil && (b.Version == 0 && len(b.Versions) == 0 || b.Metadata.IsZero()) {
			t.Fatal("a book without a version or metadata")
		}
		if err == nil {
			_, _, _ = newWorld(t).view().Photo(b)
		}
	})
}
