package files_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/intake/internal/files"
	"github.com/carrel-go/carrel/examples/intake/internal/kinds"
	"github.com/carrel-go/carrel/scope/object"
)

func TestLargeReportsAreShortened(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	names := make([]string, 4000)
	for i := range names {
		names[i] = fmt.Sprintf("%d%s", i, strings.Repeat("ä", 5000))
	}
	r, err := f.view.Measure(t.Context(), f.id, "run", report(names...))
	require.NoError(t, err)
	require.Len(t, r.Profile.Columns, files.MaxColumns)
	require.Equal(t, 4000, r.Profile.HasColumns)
	require.Contains(t, strings.Join(r.Notes, "|"), "only the first 250 of 4000 columns")
	require.Contains(t, strings.Join(r.Notes, "|"), "long names")
}

// The limit is that of the stored bytes. A control character has six of them.
func TestReportsFitTheirItem(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	for sign, want := range map[string]string{"<": "", "\x01": "examples of values are not in the report"} {
		f := newFixture(t)
		var names []string
		for i := range files.MaxColumns {
			names = append(names, fmt.Sprintf("%d%s", i, strings.Repeat(sign, 196)))
		}
		long := report(names...)
		for i := range long.Profile.Columns {
			for range 5 {
				long.Profile.Columns[i].Examples = append(long.Profile.Columns[i].Examples, strings.Repeat(sign, 60))
			}
		}
		r, err := f.view.Measure(ctx, f.id, "run", long)
		require.NoError(t, err)
		require.Contains(t, strings.Join(r.Notes, "|"), want)
		s := files.Statement{Kind: kinds.Inventory, Summary: strings.Repeat("字", 2000), Meanings: map[string]string{}}
		_, err = f.view.Record(ctx, f.id, "run", s)
		require.NoError(t, err)
		for _, c := range r.Profile.Columns {
			s.Meanings[c.Name] = strings.Repeat("字", 300)
		}
		require.NoError(t, f.attempt.Complete(ctx, object.Ref{}))
		_, err = f.view.Confirm(ctx, f.id, r.Version+1, s)
		require.ErrorIs(t, err, files.ErrInvalid)
		require.Contains(t, files.Reason(err), "meanings of the columns are too long")
		s.Meanings = map[string]string{r.Profile.Columns[0].Name: "字"}
		_, err = f.view.Confirm(ctx, f.id, r.Version+1, s)
		require.NoError(t, err)
		_, err = f.view.Share(ctx, f.id)
		require.NoError(t, err)
	}
}
