package tracking

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope/object"
)

// A label can be set while a worker holds the stage and after the record has ended. Nothing else changes.
func TestLabelsAreSetInEveryState(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		b := newBundle(t, nil)
		_, err := b.SetLabels(ctx, b.session, map[string]string{"title": "Emma"})
		require.ErrorIs(t, err, ErrNotFound)
		_, err = b.Create(ctx, b.session, &CreateOptions{Filename: "cover.jpg", Labels: map[string]string{"shelf": "A1"}})
		require.NoError(t, err)
		a, err := b.Claim(ctx, b.session, Enrichment, &ClaimOptions{Key: "r", Observed: &Observation{Stage: UserUpload}})
		require.NoError(t, err)
		set := func(title string) {
			t.Helper()
			was := b.getRecord(t)
			time.Sleep(time.Second)
			r, err := b.SetLabels(ctx, b.session, map[string]string{"title": title})
			require.NoError(t, err)
			require.Equal(t, b.getRecord(t).Labels, r.Labels)
			require.Equal(t, title, r.Labels["title"])
			require.Equal(t, "A1", r.Labels["shelf"])
			page, err := b.List(ctx, b.user, Filter{})
			require.NoError(t, err)
			require.Equal(t, r.Labels, page.Records[0].Labels, "a list shows it")
			require.Equal(t, was.Version+1, r.Version)
			require.True(t, r.Updated.After(was.Updated))
			was.Labels, was.Updated, was.Version = r.Labels, r.Updated, r.Version
			require.Equal(t, was, r, "nothing else changes")
		}
		set("Ema")
		require.NoError(t, a.Park(ctx, 0), "the worker holds the stage")
		set("Emma")
		require.NoError(t, b.claimStage(t, "accept").Complete(ctx, object.Ref{}))
		require.True(t, b.getRecord(t).Terminal)
		set("Emma, a novel")

		was := b.getRecord(t).Version
		r, err := b.SetLabels(ctx, b.session, map[string]string{"title": "Emma, a novel", "other": ""})
		require.NoError(t, err)
		require.Equal(t, was, r.Version, "nothing to write")
		r, err = b.SetLabels(ctx, b.session, map[string]string{"title": ""})
		require.NoError(t, err)
		require.Equal(t, map[string]string{"shelf": "A1"}, r.Labels)
		for _, bad := range []map[string]string{
			{"Title": "x"}, {"title": strings.Repeat("x", 257)}, {"title": "\xff"},
			{"a": "1", "b": "1", "c": "1", "d": "1", "e": "1", "f": "1", "g": "1", "h": "1"},
		} {
			_, err = b.SetLabels(ctx, b.session, bad)
			require.ErrorIs(t, err, ErrInvalid, bad)
		}
		_, err = b.SetLabels(ctx, b.user, map[string]string{"title": "x"})
		require.Error(t, err, "a user is not a session")
		require.Equal(t, r.Labels, b.getRecord(t).Labels)
	})
}
