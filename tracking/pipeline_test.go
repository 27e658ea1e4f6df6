package tracking

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
)

func TestInvalidPipelinesAreRejected(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]Pipeline{
		"no name":          {Stages: []StageSpec{{Stage: "a"}}},
		"bad name":         {Name: "Uploads", Stages: []StageSpec{{Stage: "a"}}},
		"bad stage":        {Name: "p", Stages: []StageSpec{{Stage: "a#b"}}},
		"no stage":         {Name: "p"},
		"all optional":     {Name: "p", Stages: []StageSpec{{Stage: "a", Optional: true}}},
		"twice":            {Name: "p", Stages: []StageSpec{{Stage: "a"}, {Stage: "a"}}},
		"after nothing":    {Name: "p", Stages: []StageSpec{{Stage: "a", After: []Stage{"b"}}}},
		"a cycle":          {Name: "p", Stages: []StageSpec{{Stage: "a", After: []Stage{"b"}}, {Stage: "b", After: []Stage{"a"}}}},
		"after itself":     {Name: "p", Stages: []StageSpec{{Stage: "a", After: []Stage{"a"}}}},
		"negative":         {Name: "p", Stages: []StageSpec{{Stage: "a", Due: -1}}},
		"slow heartbeat":   {Name: "p", Stages: []StageSpec{{Stage: "a", Lease: time.Second, Heartbeat: time.Second}}},
		"too many a stage": {Name: "p", Stages: make([]StageSpec, 33)},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := New(must.Get(table.New(table.NewMemory(nil), nil)), p, nil)
			require.ErrorIs(t, err, ErrPipeline)
		})
	}
}

// A pipeline may have other stages than Uploads, and no External one.
func TestPipelineWithoutExternalStages(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	tb := must.Get(table.New(table.NewMemory(nil), nil))
	tr, err := New(tb, Pipeline{Name: "docs", Stages: []StageSpec{
		{Stage: "analysed"},
		{Stage: "embedding", After: []Stage{"analysed"}, MaxAttempts: 1},
	}}, nil)
	require.NoError(t, err)
	s := sessionOf(t, userOf(t, "acme", "u1"), 1)
	r, err := tr.Create(ctx, s, nil)
	require.NoError(t, err)
	require.Equal(t, StatusQueued, r.Status)
	require.Equal(t, ClassActive, r.Class())
	_, err = tr.Claim(ctx, s, "embedding", &ClaimOptions{Key: "k"})
	stateOf(t, err, ErrDependencies)
	a, err := tr.Claim(ctx, s, "analysed", &ClaimOptions{Key: "k"})
	require.NoError(t, err)
	require.NoError(t, a.Complete(ctx, object.Ref{}))
	require.Equal(t, StatusInProgress, a.Record().Status)
	a, err = tr.Claim(ctx, s, "embedding", &ClaimOptions{Key: "k"})
	require.NoError(t, err)
	require.NoError(t, a.Fail(ctx, throttledError()))
	require.Equal(t, reasonMaxAttempts, a.Record().Reason)
	_, err = tr.Claim(ctx, s, "embedding", &ClaimOptions{Key: "k"})
	stateOf(t, err, ErrTerminal)
}

func TestUploadsDefaults(t *testing.T) {
	t.Parallel()
	tr, err := New(must.Get(table.New(table.NewMemory(nil), nil)), Uploads(), nil)
	require.NoError(t, err)
	s, err := tr.machine.pipeline.findSpec(Enrichment)
	require.NoError(t, err)
	require.Equal(t, StageSpec{Stage: Enrichment, After: []Stage{UserUpload}, Lease: 30 * time.Second,
		Heartbeat: 10 * time.Second, MaxAttempts: 10, Backoff: time.Second, MaxBackoff: 5 * time.Minute, Due: 15 * time.Minute}, s)
}
