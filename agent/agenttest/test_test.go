package agenttest_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"runtime/pprof"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/agenttest"
	"github.com/carrel-go/carrel/agent/bedrock"
	"github.com/carrel-go/carrel/agent/bedrock/bedrocktest"
)

func TestModels(t *testing.T) {
	for name, m := range map[string]func(t *testing.T) agent.Model{
		"actor":  func(*testing.T) agent.Model { return agenttest.Actor() },
		"script": func(*testing.T) agent.Model { return agenttest.NewScript(agenttest.Choose(agenttest.Act).Times(1000)) },
		"recorder": func(t *testing.T) agent.Model {
			r, err := agenttest.Record(agenttest.Actor(), t.TempDir()+"/r.json", nil)
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, r.Err()) })
			return r
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { require.NoError(t, agenttest.TestModel(t.Context(), m(t), nil)) })
		})
	}
}

// A function cannot fall silent or fail after it has said something that it has not said yet.
func TestFunc(t *testing.T) {
	m := agenttest.Func(func(_ context.Context, r *agent.Request) ([]agent.Delta, error) {
		var deltas []agent.Delta
		var failed error
		for d, err := range agenttest.NewScript(agenttest.Act(r)).Stream(t.Context(), r) {
			if failed = err; err == nil {
				deltas = append(deltas, d)
			}
		}
		return deltas, failed
	})
	synctest.Test(t, func(t *testing.T) {
		require.NoError(t, agenttest.TestModel(t.Context(), m, &agenttest.TestOptions{Without: []agenttest.Behaviour{agenttest.Stuck}}))
	})
}

func TestBedrock(t *testing.T) {
	server := httptest.NewServer(bedrocktest.Front(agenttest.Actor()))
	defer server.Close()
	client := bedrocktest.NewClient(server.URL, func(o *bedrockruntime.Options) { o.HTTPClient = server.Client() })
	m, err := bedrock.New(client, "any-model", nil)
	require.NoError(t, err)
	require.NoError(t, agenttest.TestModel(t.Context(), m, nil))
}

func TestNilModel(t *testing.T) {
	require.ErrorContains(t, agenttest.TestModel(t.Context(), nil, nil), "nil")
}

func TestWithoutRequest(t *testing.T) {
	o := &agenttest.TestOptions{Request: func(agenttest.Behaviour, string) *agent.Request { return nil }}
	err := agenttest.TestModel(t.Context(), agenttest.Actor(), o)
	require.ErrorContains(t, err, "there is no request that makes the model speak")
}

func TestFindsFaults(t *testing.T) {
	for name, f := range faults {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				stop, cancel := context.WithCancel(t.Context())
				defer cancel()
				err := agenttest.TestModel(t.Context(), f.model(stop), nil)
				failed := failures(t, err)
				require.Contains(t, failed, f.found)
				require.NotContains(t, failed, f.passes, "what is not broken passes: %v", err)
			})
		})
	}
}

// Each check finds a fault of its own: what it is for cannot be left out.
func TestEachCheckFindsAFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := failures(t, agenttest.TestModel(t.Context(), faults["a panic of its own"].model(t.Context()), nil))
		for _, f := range faults {
			all = slices.DeleteFunc(all, func(name string) bool { return name == f.found })
		}
		require.Empty(t, all)
	})
}

// Labels that the caller's goroutine has hide no leak.
func TestFindsLeaksUnderLabels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stop, cancel := context.WithCancel(t.Context())
		defer cancel()
		pprof.Do(t.Context(), pprof.Labels("aaa", "1", "zzz", "2"), func(ctx context.Context) {
			leaky := faults["a goroutine for each stream that is left"].model(stop)
			require.Contains(t, failures(t, agenttest.TestModel(ctx, leaky, nil)), "leaving a stream that is silent")
		})
	})
}

// failures returns the names of the checks that failed.
func failures(t *testing.T, err error) []string {
	t.Helper()
	all, ok := err.(interface{ Unwrap() []error })
	require.True(t, ok, "nothing was found: %v", err)
	var names []string
	for _, err := range all.Unwrap() {
		f, ok := errors.AsType[*agenttest.CheckError](err)
		require.True(t, ok)
		require.True(t, strings.HasPrefix(f.Error(), "agenttest: "+f.Check+": "))
		names = append(names, f.Check)
	}
	return names
}
