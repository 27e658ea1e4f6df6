package agenttest_test

import (
	"context"
	"maps"
	"net/http/httptest"
	"runtime/pprof"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/agenttest"
	"github.com/carrel-go/carrel/agent/bedrock"
	"github.com/carrel-go/carrel/agent/bedrock/bedrocktest"
)

func TestActorPasses(t *testing.T) {
	t.Parallel()
	agenttest.TestModel(t, agenttest.Actor(), nil)
}

func TestScriptPasses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := model(func(ctx context.Context, r *agent.Request, y yield) {
			agenttest.NewScript(agenttest.Act(r)).Stream(ctx, r)(y)
		})
		require.Empty(t, agenttest.FailedChecks(t.Context(), m))
	})
}

// A function returns its whole answer at once, so it cannot fall silent after a delta.
func TestFuncPassesWithoutSilence(t *testing.T) {
	t.Parallel()
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
	skip := map[string]string{}
	for _, name := range []string{"lazy start", "leaving a silent stream", "cancellation", "deadline"} {
		skip[name] = "a function cannot fall silent"
	}
	agenttest.TestModel(t, m, &agenttest.TestOptions{Skip: skip})
}

func TestBedrockPasses(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(bedrocktest.Front(agenttest.Actor()))
	t.Cleanup(server.Close)
	for name, o := range map[string]*bedrock.Options{
		"default":         nil,
		"optional fields": {NoSystem: true, NoResultStatus: true, NoStrict: true, NoCache: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := bedrocktest.NewClient(server.URL, func(o *bedrockruntime.Options) { o.HTTPClient = server.Client() })
			m, err := bedrock.New(client, "any-model", o)
			require.NoError(t, err)
			agenttest.TestModel(t, m, nil)
		})
	}
}

func TestEachFaultIsFound(t *testing.T) {
	t.Parallel()
	for name, f := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				stop, cancel := context.WithCancel(t.Context())
				defer cancel()
				failed := agenttest.FailedChecks(t.Context(), f.model(stop))
				require.Contains(t, failed, f.found)
				require.NotContains(t, failed, f.passes)
			})
		})
	}
}

// Each check finds a fault that no other check is for.
func TestEachCheckFindsAFault(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		failed := agenttest.FailedChecks(t.Context(), faults["a panic of its own"].model(t.Context()))
		maps.DeleteFunc(failed, func(name, _ string) bool {
			for _, f := range faults {
				if f.found == name {
					return true
				}
			}
			return false
		})
		require.Empty(t, failed)
	})
}

func TestFindsLeaksUnderLabels(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		stop, cancel := context.WithCancel(t.Context())
		defer cancel()
		pprof.Do(t.Context(), pprof.Labels("aaa", "1", "zzz", "2"), func(ctx context.Context) {
			leaky := faults["a goroutine for each stream that is left"].model(stop)
			require.Contains(t, agenttest.FailedChecks(ctx, leaky), "leaving a silent stream")
		})
	})
}
