package tracking

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

// A record is stored as attributes that a person can read, with its index entries.
func TestRecordIsStoredAsReadableAttributes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.bringTo("again-failed")
	it := w.r.encodeItem()
	id := w.r.Scope.SessionID()
	require.Equal(t, "meta", it.Sort)
	require.Equal(t, map[string]table.Value{
		"schema": int64(1), "pipeline": "uploads", "filename": "cover.jpg",
		"status": "FAILED", "reason": "throttled",
		"stage": "enrichment", "state": "failed",
		"created": "2026-03-01T12:00:01.000Z", "changed": "2026-03-01T12:01:00.000Z", "updated": "2026-03-01T12:01:00.000Z", "due": "2026-03-02T12:01:00.000Z",
		"stages": map[string]table.Value{
			"user_upload": map[string]table.Value{
				"state": "success", "attempt": int64(1), "fence": int64(1),
				"started": "2026-03-01T12:00:00.000Z", "ended": "2026-03-01T12:00:00.000Z",
				"destination": map[string]table.Value{"bucket": "raw", "key": "k"},
			},
			"enrichment": map[string]table.Value{
				"state": "failed", "attempt": int64(1), "fence": int64(2), "key": "run", "owner": w.own.owner, "parked": true,
				"started": "2026-03-01T12:00:00.000Z", "ended": "2026-03-01T12:01:00.000Z", "not_before": "2026-03-01T12:01:00.915Z",
				"error": map[string]table.Value{"code": "throttled", "message": "429"},
			},
		},
	}, it.Attr)
	require.Equal(t, table.Entry{Slot: table.I1, Level: scope.UserLevel, Class: "failed", Sort: id}, it.Index[0])
	require.Equal(t, table.Entry{Slot: table.I2, Level: scope.TenantLevel, Class: "failed", Sort: id}, it.Index[1])
	due := it.Index[2]
	require.Less(t, due.Shard, 16)
	due.Shard = 0
	require.Equal(t, table.Entry{Slot: table.I3, Level: scope.None, Class: "due-uploads", Sort: "2026-03-02T12:01:00.000Z"}, due)
}

// A later version of the same schema may store more, at the top, inside a
// stage, and whole stages. This version keeps all of it.
func TestUnknownAttributesSurvive(t *testing.T) {
	t.Parallel()
	b := newBundle(t, nil)
	b.createArrived(t)
	view, err := b.table.In(b.session)
	require.NoError(t, err)
	it, err := view.Get(t.Context(), "meta")
	require.NoError(t, err)
	stages := it.Attr["stages"].(map[string]table.Value)
	upload := stages["user_upload"].(map[string]table.Value)
	it.Attr["colour"] = "blue"
	upload["bytes"] = int64(7)
	stages["embedding"] = map[string]table.Value{"state": "running", "attempt": int64(3), "model": "m"}
	it.Expires = time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	_, err = view.Put(t.Context(), it, table.Version(it.Version))
	require.NoError(t, err)

	require.NoError(t, b.claimStage(t, "r1").Park(t.Context(), 0))
	require.NoError(t, b.claimStage(t, "r1").Release(t.Context()))
	a := b.claimStage(t, "r2")
	require.NoError(t, a.Heartbeat(t.Context()))
	require.NoError(t, a.Fail(t.Context(), throttledError()))
	got, err := view.Get(t.Context(), "meta")
	require.NoError(t, err)
	stages = got.Attr["stages"].(map[string]table.Value)
	require.Equal(t, "blue", got.Attr["colour"])
	require.Equal(t, int64(7), stages["user_upload"].(map[string]table.Value)["bytes"])
	require.Equal(t, map[string]table.Value{"state": "running", "attempt": int64(3), "model": "m"}, stages["embedding"])
	require.Equal(t, it.Expires, got.Expires)
	require.Equal(t, 3, b.getRecord(t).Stage("embedding").Attempt)
}

func TestForeignItemsAreRejected(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(attr map[string]table.Value)
		want   error
	}{
		"newer schema":   {func(a map[string]table.Value) { a["schema"] = int64(2) }, ErrSchema},
		"no schema":      {func(a map[string]table.Value) { delete(a, "schema") }, errForeign},
		"other pipeline": {func(a map[string]table.Value) { a["pipeline"] = "docs" }, ErrPipeline},
		"wrong type":     {func(a map[string]table.Value) { a["filename"] = int64(1) }, errForeign},
		"bad status":     {func(a map[string]table.Value) { a["status"] = "MAYBE" }, errForeign},
		"bad time":       {func(a map[string]table.Value) { a["due"] = "tomorrow" }, errForeign},
		"bad stage":      {func(a map[string]table.Value) { a["stages"] = map[string]table.Value{"enrichment": "x"} }, errForeign},
		"bad state": {func(a map[string]table.Value) {
			a["stages"].(map[string]table.Value)["user_upload"].(map[string]table.Value)["state"] = "odd"
		}, errForeign},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBundle(t, nil)
			b.createArrived(t)
			a := b.claimStage(t, "r1")
			view, err := b.table.In(b.session)
			require.NoError(t, err)
			it, err := view.Get(t.Context(), "meta")
			require.NoError(t, err)
			c.change(it.Attr)
			it, err = view.Put(t.Context(), it, table.Version(it.Version))
			require.NoError(t, err)

			_, err = b.Get(t.Context(), b.session)
			require.ErrorIs(t, err, c.want)
			if errors.Is(c.want, errForeign) {
				require.ErrorContains(t, err, `tracking: get: the item "meta" was not written by this package`)
			}
			_, err = b.Observe(t.Context(), b.session, Observation{Stage: UserUpload})
			require.ErrorIs(t, err, c.want)
			_, err = b.Claim(t.Context(), b.session, Enrichment, &ClaimOptions{Key: "r1"})
			require.ErrorIs(t, err, c.want)
			_, err = b.Cancel(t.Context(), b.session)
			require.ErrorIs(t, err, c.want)
			require.ErrorIs(t, a.Park(t.Context(), 0), c.want)
			_, err = b.Create(t.Context(), b.session, nil)
			require.ErrorIs(t, err, c.want)
			after, err := view.Get(t.Context(), "meta")
			require.NoError(t, err)
			require.Equal(t, it.Version, after.Version, "the item is unchanged")
		})
	}
}

func TestLargestRecordIsStored(t *testing.T) {
	t.Parallel()
	p := Pipeline{Name: strings.Repeat("p", 32)}
	for i := range maxStages {
		p.Stages = append(p.Stages, StageSpec{Stage: Stage(fmt.Sprintf("s%031d", i)), Optional: i > 0, External: i == 31})
	}
	tb := must.Get(table.New(table.NewMemory(nil), nil))
	tr, err := New(tb, p, nil)
	require.NoError(t, err)
	session := sessionOf(t, userOf(t, strings.Repeat("a", 64), strings.Repeat("u", 64)), 1)
	_, err = tr.Create(t.Context(), session, &CreateOptions{Filename: strings.Repeat("f", 255)})
	require.NoError(t, err)
	ref := refIn(t, strings.Repeat("b", 63), session, strings.Repeat("n", 255))
	_, err = tr.Observe(t.Context(), session, Observation{Stage: p.Stages[31].Stage, Dest: ref})
	require.NoError(t, err)
	for i, s := range p.Stages[:31] {
		a, err := tr.Claim(t.Context(), session, s.Stage, &ClaimOptions{Key: strings.Repeat("\U0010ffff", maxKey/4), Source: ref})
		require.NoError(t, err)
		if i == 1 {
			require.NoError(t, a.Complete(t.Context(), ref))
			continue
		}
		require.NoError(t, a.Fail(t.Context(), &Error{Code: strings.Repeat("c", 32), Message: strings.Repeat("\x01", 2000), Retryable: true}))
	}
	view, err := tb.In(session)
	require.NoError(t, err)
	it, err := view.Get(t.Context(), "meta")
	require.NoError(t, err)
	require.Less(t, sizeOf(it.Attr)+8*len(session.Partition()), 400_000, "DynamoDB's limit")
	r, err := tr.Get(t.Context(), session)
	require.NoError(t, err)
	for i, s := range p.Stages[:31] {
		stage := r.Stage(s.Stage)
		require.Len(t, stage.Key, maxKey)
		require.False(t, stage.Source.IsZero())
		if i != 1 {
			require.Len(t, stage.Error.Message, maxMessage)
		}
	}
}

// sizeOf returns an upper bound of the size by DynamoDB's rule.
func sizeOf(v table.Value) int {
	switch v := v.(type) {
	case string:
		return len(v) + 1
	case []byte:
		return len(v) + 1
	case map[string]table.Value:
		n := 3
		for name, e := range v {
			n += len(name) + 1 + sizeOf(e)
		}
		return n
	}
	return 24
}
