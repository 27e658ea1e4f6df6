package tracking

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope/object"
)

// A Location becomes a Ref again only under a Root that contains the object.
func TestLocationBecomesARefUnderItsRoot(t *testing.T) {
	t.Parallel()
	b := newBundle(t, nil)
	want := refIn(t, "landing", b.session, "cover.jpg")
	_, err := b.Create(t.Context(), b.session, nil)
	require.NoError(t, err)
	_, err = b.Observe(t.Context(), b.session, Observation{Stage: UserUpload, Dest: want})
	require.NoError(t, err)
	at := b.getRecord(t).Stage(UserUpload).Destination

	landing := must.Get(object.New(object.NewMemory(), "landing", nil))
	root, err := landing.In(b.session)
	require.NoError(t, err)
	got, err := at.Ref(root)
	require.NoError(t, err)
	require.Equal(t, want, got)

	root, err = landing.In(sessionOf(t, b.user, 2))
	require.NoError(t, err)
	_, err = at.Ref(root)
	require.ErrorIs(t, err, object.ErrOutside)
	_, err = Location{}.Ref(root)
	require.Error(t, err)
}

// A returned record does not change.
func TestReturnedRecordDoesNotChange(t *testing.T) {
	t.Parallel()
	b := newBundle(t, nil)
	b.createArrived(t)
	a := b.claimStage(t, "r1")
	r := a.Record()
	require.NoError(t, a.Park(t.Context(), 0))
	require.Equal(t, StateRunning, r.Stage(Enrichment).State)
	require.Equal(t, StateWaiting, a.Record().Stage(Enrichment).State)
	var names []Stage
	for p := range r.Stages() {
		names = append(names, p.Stage)
	}
	require.True(t, slices.Equal([]Stage{UserUpload, Enrichment, Routing, AVScan}, names))
}
