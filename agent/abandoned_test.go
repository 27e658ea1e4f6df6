package agent

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/tools"
)

// A tenant that holds its share of abandoned calls cannot make more. Other tenants can, until all together hold the
// maximum. Calls are made again once the abandoned ones have returned.
func TestAbandonedCallsAreCapped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		steps := play()
		a, err := New(steps, &Options{Tools: tools.Of(nap(t)), Limits: Limits{ToolTimeout: time.Second}})
		require.NoError(t, err)
		a.abandoned.max = 4
		result := func(tenantID, word string) string {
			t.Helper()
			steps.steps = append(steps.steps, naps(word), step{text("ok"), end})
			evs, failed := drain(t, a, t.Context(), Input{Scope: tenant(t, tenantID), Prompt: "Go."})
			require.Nil(t, failed)
			for _, ev := range evs {
				if d, ok := ev.(ToolDone); ok && errors.Is(d.Err, errAbandoned) {
					require.Zero(t, d.Took)
				}
			}
			return lines(evs[len(evs)-1].(Done).History)[2]
		}
		const ran, refused = "user: {c0= slept 1ms}", "user: {c0! Not run: too many earlier calls have not ended. Go on without this tool, or try again later.}"
		for _, id := range []string{"acme", "globex", "initech"} {
			require.Equal(t, ran, result(id, "1ms"))
			require.Contains(t, result(id, "deaf 1h"), "did not finish")
			require.Equal(t, refused, result(id, "1ms"))
			require.Equal(t, refused, result(id, "deaf 1h"))
		}
		require.Equal(t, 3, a.Abandoned())
		require.Equal(t, ran, result("hooli", "1ms"))
		require.Contains(t, result("hooli", "deaf 1h"), "did not finish")
		require.Equal(t, 4, a.Abandoned())
		require.Equal(t, refused, result("umbrella", "1ms"))
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		require.Zero(t, a.Abandoned())
		require.Equal(t, ran, result("acme", "1ms"))
	})
}
