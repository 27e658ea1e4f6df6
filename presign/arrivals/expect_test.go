package arrivals_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/presign/arrivals"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tracking"
)

func TestExpectMakesTheRecord(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	session := must.Get(b.user.NewSession())
	expires := time.Now().Add(grantTime).UTC().Truncate(time.Millisecond)
	before := b.rows.puts.Load()
	rec, err := b.recorder.Expect(t.Context(), session, arrivals.Upload{
		Filename: "cover.png", Expires: expires, Labels: map[string]string{"title": "Emma"},
	})
	require.NoError(t, err)
	require.Equal(t, before+2, b.rows.puts.Load())
	require.Equal(t, "cover.png", rec.Filename)
	require.Equal(t, expires.Add(15*time.Minute), rec.Due)
	require.Equal(t, "Emma", rec.Labels["title"])
	require.Equal(t, tracking.StateRunning, rec.Stage(tracking.UserUpload).State)

	_, err = b.recorder.Expect(t.Context(), session, arrivals.Upload{Filename: "other.png", Expires: expires})
	require.Error(t, err, "a session is for one upload")
	require.Equal(t, before+2, b.rows.puts.Load())
}

func TestExpectRejectsInvalidUploads(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	session := must.Get(b.user.NewSession())
	expires := time.Now().Add(grantTime)
	for name, c := range map[string]struct {
		in   scope.Scope
		u    arrivals.Upload
		want error
	}{
		"name":    {session, arrivals.Upload{Filename: "../x", Expires: expires}, scope.ErrInvalid},
		"no name": {session, arrivals.Upload{Expires: expires}, scope.ErrInvalid},
		"size":    {session, arrivals.Upload{Filename: "x", Size: -1, Expires: expires}, presign.ErrInvalid},
		"digest":  {session, arrivals.Upload{Filename: "x", SHA256: make([]byte, 31), Expires: expires}, presign.ErrInvalid},
		"no end":  {session, arrivals.Upload{Filename: "x"}, presign.ErrInvalid},
		"due":     {session, arrivals.Upload{Filename: "x", Expires: expires, Due: expires.Add(-1)}, presign.ErrInvalid},
		"scope":   {b.user, arrivals.Upload{Filename: "x", Expires: expires}, scope.ErrLevel},
		"zero":    {scope.Scope{}, arrivals.Upload{Filename: "x", Expires: expires}, scope.ErrDenied},
		"reader":  {session.ReadOnly(), arrivals.Upload{Filename: "x", Expires: expires}, scope.ErrReadOnly},
	} {
		_, err := b.recorder.Expect(t.Context(), c.in, c.u)
		require.ErrorIs(t, err, c.want, name)
		require.Zero(t, b.rows.puts.Load(), name)
	}
}

func TestNewRejectsInvalidArguments(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	track := func(stages ...tracking.StageSpec) *tracking.Tracker {
		return must.Get(tracking.New(b.table, tracking.Pipeline{Name: "p", Stages: stages}, nil))
	}
	up, after := tracking.StageSpec{Stage: "up", External: true}, []tracking.Stage{"up"}
	for name, construct := range map[string]func() (*arrivals.Recorder, error){
		"table":   func() (*arrivals.Recorder, error) { return arrivals.New(nil, b.landing, b.signer, b.tracker, nil) },
		"bucket":  func() (*arrivals.Recorder, error) { return arrivals.New(b.table, nil, b.signer, b.tracker, nil) },
		"signer":  func() (*arrivals.Recorder, error) { return arrivals.New(b.table, b.landing, nil, b.tracker, nil) },
		"tracker": func() (*arrivals.Recorder, error) { return arrivals.New(b.table, b.landing, b.signer, nil, nil) },
		"size": func() (*arrivals.Recorder, error) {
			return arrivals.New(b.table, b.landing, b.signer, b.tracker, &arrivals.Options{MaxSize: -1})
		},
		"no stage": func() (*arrivals.Recorder, error) {
			return arrivals.New(b.table, b.landing, b.signer, b.tracker, &arrivals.Options{Stage: tracking.Enrichment})
		},
		"no external stage": func() (*arrivals.Recorder, error) {
			return arrivals.New(b.table, b.landing, b.signer, track(tracking.StageSpec{Stage: "work"}), nil)
		},
		"no stage after it": func() (*arrivals.Recorder, error) {
			return arrivals.New(b.table, b.landing, b.signer, track(up, tracking.StageSpec{Stage: "work"}), nil)
		},
		"optional stage after it": func() (*arrivals.Recorder, error) {
			return arrivals.New(b.table, b.landing, b.signer, track(up, tracking.StageSpec{Stage: "work", After: after, Optional: true}), nil)
		},
	} {
		r, err := construct()
		require.ErrorIs(t, err, presign.ErrInvalid, name)
		require.Nil(t, r)
	}
	require.ErrorIs(t, b.recorder.Clean(t.Context(), (*table.System)(nil)), presign.ErrInvalid)
}

// The stages are those of the pipeline, whatever their names.
func TestOtherPipelines(t *testing.T) {
	t.Parallel()
	receipts := tracking.Pipeline{Name: "receipts", Stages: []tracking.StageSpec{
		{Stage: "order", External: true},
		{Stage: "scan", External: true, After: []tracking.Stage{"order"}},
		{Stage: "book", After: []tracking.Stage{"scan"}},
	}}
	documents := tracking.Pipeline{Name: "documents", Stages: []tracking.StageSpec{
		{Stage: "uploaded", External: true},
		{Stage: "thumbnail", After: []tracking.Stage{"uploaded"}, Optional: true},
		{Stage: "analysed", After: []tracking.Stage{"uploaded"}},
		{Stage: "filed", After: []tracking.Stage{"analysed"}},
	}}
	for _, c := range []struct {
		pipeline      tracking.Pipeline
		stage, worker tracking.Stage
	}{{receipts, "scan", "book"}, {documents, "uploaded", "analysed"}} {
		t.Run(c.pipeline.Name, func(t *testing.T) {
			t.Parallel()
			b := newBundle(t)
			b.tracker = must.Get(tracking.New(b.table, c.pipeline, nil))
			b.recorder = b.newRecorder(func(o *arrivals.Options) { o.Stage = c.stage })
			for size, state := range map[int]tracking.State{maxSize: tracking.StateQueued, maxSize + 1: tracking.StateFailed} {
				session := b.announced(arrivals.Upload{Filename: "a.pdf"})
				if c.stage == "scan" {
					_, err := b.tracker.Observe(t.Context(), session, tracking.Observation{Stage: "order"})
					require.NoError(t, err)
				}
				b.put(session, "a.pdf", size)
				b.arrives(session, "a.pdf")
				rec := must.Get(b.tracker.Get(t.Context(), session))
				require.Equal(t, tracking.StateSuccess, rec.Stage(c.stage).State)
				require.Equal(t, state, rec.Stage(c.worker).State)
				require.Equal(t, state == tracking.StateFailed, rec.Terminal)
			}
		})
	}
}
