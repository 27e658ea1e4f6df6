package agent

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/tools"
)

// Progress comes between ToolCalled and ToolDone, in order, including the last value. Progress after the timeout is
// dropped.
func TestProgressIsYieldedBeforeTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		talk := mustTool(t, "talk", func(ctx context.Context, c *tools.Call, word string) (string, error) {
			var late *time.Timer
			for i := range 3 {
				c.Progress(map[string]any{word: i})
				time.Sleep(time.Second)
			}
			c.Progress(make(chan int)) // cannot be marshaled
			c.Progress("last")
			if word == "deaf" {
				time.Sleep(time.Hour)
				c.Progress("nobody listens")
			}
			late = time.AfterFunc(time.Second, func() { c.Progress("late") })
			_ = late
			return word, nil
		})
		m := play(step{use("c1", "talk", `{"word":"a"}`), use("c2", "talk", `{"word":"b"}`), use("c3", "talk", `{"word":"deaf"}`), calls}, step{text("ok"), end})
		got := map[string][]string{}
		for ev, err := range newAgent(t, m, Limits{ToolTimeout: 10 * time.Second}, talk).Stream(t.Context(), Input{Scope: tenant(t, "acme"), Prompt: "Go."}) {
			require.NoError(t, err)
			switch ev := ev.(type) {
			case ToolCalled:
				require.Empty(t, got[ev.ID])
				got[ev.ID] = append(got[ev.ID], "called")
			case ToolProgress:
				got[ev.ID] = append(got[ev.ID], string(ev.Value))
			case ToolDone:
				got[ev.ID] = append(got[ev.ID], fmt.Sprint("done ", ev.Result.IsError))
			case TextDelta:
				time.Sleep(5 * time.Second) // for late progress
			}
		}
		require.Equal(t, map[string][]string{
			"c1": {"called", `{"a":0}`, `{"a":1}`, `{"a":2}`, `"last"`, "done false"},
			"c2": {"called", `{"b":0}`, `{"b":1}`, `{"b":2}`, `"last"`, "done false"},
			"c3": {"called", `{"deaf":0}`, `{"deaf":1}`, `{"deaf":2}`, `"last"`, "done true"},
		}, got)
		time.Sleep(2 * time.Hour)
	})
}

// A slow consumer does not delay a tool: it misses the oldest values.
func TestProgressDropsTheOldest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var took time.Duration
		talk := mustTool(t, "talk", func(_ context.Context, c *tools.Call, _ string) (string, error) {
			start := time.Now()
			for i := range 1000 {
				c.Progress(i)
			}
			time.Sleep(time.Second)
			took = time.Since(start)
			return "", nil
		})
		var got []string
		first := true
		a := newAgent(t, play(step{use("c1", "talk", `{"word":""}`), calls}, step{text("ok"), end}), Limits{}, talk)
		for ev, err := range a.Stream(t.Context(), Input{Scope: tenant(t, "acme"), Prompt: "Go."}) {
			require.NoError(t, err)
			if p, ok := ev.(ToolProgress); ok {
				got = append(got, string(p.Value))
				if first {
					time.Sleep(time.Hour)
					first = false
				}
			}
		}
		require.Equal(t, time.Second, took)
		require.LessOrEqual(t, len(got), 2*progressKept)
		require.Equal(t, "999", got[len(got)-1])
	})
}
