package trackingtest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tracking"
)

// recordLife returns the rows of a life that ends well, each with the act that stored it.
func recordLife(t *testing.T, w *world, name string) (tracking.Pipeline, scope.Scope, []written) {
	t.Helper()
	script := lifeScripts()[name]
	l := &life{w: w, tr: w.newTracker(script.p, 0), s: w.newSession(w.newUser("t", "u"), 1)}
	for _, a := range script.acts {
		o := &op{name: string(a), session: l.s}
		if st := a.claimedStage(); st != "" {
			o.name, o.stage = "claim", st
		} else if l.a != nil {
			o.stage, o.fence = l.a.Stage(), l.a.Fence()
		}
		require.NoError(t, l.performAct(o.inContext(t.Context()), a))
		w.passTime(time.Second)
	}
	return script.p, l.s, w.driver.rowsOf(l.s)
}

// A history with one error must violate the property that names it.
func TestFindsBadHistories(t *testing.T) {
	t.Parallel()
	enrichment := func(r *written) map[string]table.Value {
		return stageOf(&r.row, string(tracking.Enrichment))
	}
	// The life: create, observe, start, fail, start, release, resume, park,
	// resume, fail, resume, complete.
	for name, c := range map[string]struct {
		spoil func(rows []written) []written
		found string
	}{
		"nothing": {func(rows []written) []written { return rows }, ""},
		"a write after the end": {func(rows []written) []written {
			again := written{rows[11].row.Clone(), &op{name: "observe"}}
			again.row.Version++
			return append(rows, again)
		}, propAbsorbing},
		"an end that somebody still works on": {func(rows []written) []written {
			rows[2].row.Attr["terminal"] = true
			return rows[:3]
		}, propAbsorbing},
		"a stage that was done and runs again": {func(rows []written) []written {
			rows[2].row.Attr["stages"].(map[string]table.Value)[string(upload)] = rows[0].row.Attr["stages"].(map[string]table.Value)[string(upload)]
			return rows[:3]
		}, propAbsorbing},
		"a version twice":     {func(rows []written) []written { rows[5].row.Version = rows[4].row.Version; return rows }, propNoLost},
		"a version left out":  {func(rows []written) []written { return append(rows[:5], rows[6:]...) }, propNoLost},
		"a fence that falls":  {func(rows []written) []written { enrichment(&rows[3])["fence"] = int64(0); return rows[:4] }, propNoLost},
		"a write of a zombie": {func(rows []written) []written { rows[9].by.fence = 2; return rows }, propOneFence},
		"a completion by nobody": {func(rows []written) []written {
			rows[11].by.name, rows[11].by.fence = "observe", 0
			return rows
		}, propOneFence},
		"two at once":                {func(rows []written) []written { enrichment(&rows[6])["fence"] = int64(2); return rows[:7] }, propOneFence},
		"one start in two rows":      {func(rows []written) []written { rows[5].by = rows[4].by; return rows[:6] }, propReplay},
		"an attempt that is skipped": {func(rows []written) []written { enrichment(&rows[4])["attempt"] = int64(3); return rows[:5] }, propAttempts},
		"an attempt of a resume":     {func(rows []written) []written { enrichment(&rows[6])["attempt"] = int64(3); return rows[:7] }, propAttempts},
		"more attempts than there are": {func(rows []written) []written {
			for i := range rows {
				if st := enrichment(&rows[i]); st != nil {
					st["attempt"] = int64(11)
				}
			}
			return rows
		}, propAttempts},
		"a success too early":   {func(rows []written) []written { rows[3].row.Attr["status"] = "SUCCESS"; return rows[:4] }, propRequired},
		"a success that is not": {func(rows []written) []written { rows[11].row.Attr["status"] = "IN_PROGRESS"; return rows }, propRequired},
		"an end before the start": {func(rows []written) []written {
			enrichment(&rows[3])["ended"] = "2026-01-01T00:00:00.000Z"
			return rows[:4]
		}, propDurations},
		"an end of what runs": {func(rows []written) []written {
			enrichment(&rows[2])["ended"] = "2036-01-01T00:00:00.000Z"
			return rows[:3]
		}, propDurations},
		"nothing due":            {func(rows []written) []written { rows[7].row.Index[2] = [2]string{}; return rows }, propDueIndex},
		"due after the end":      {func(rows []written) []written { rows[11].row.Index[2] = rows[10].row.Index[2]; return rows }, propDueIndex},
		"no date that it is due": {func(rows []written) []written { delete(rows[7].row.Attr, "due"); return rows }, propDueIndex},
		"what cannot be read":    {func(rows []written) []written { rows[7].row.Attr["stages"] = "none"; return rows }, propAnswers},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found := &findings{t: &recordingTester{ctx: t.Context()}, seen: map[string]bool{}}
			w := newWorld(table.NewMemory(nil), Options{}, found, propAnswers)
			p, s, rows := recordLife(t, w, "an upload with setbacks")
			v := &verdicts{found: found}
			v.judgeHistory(p, s, c.spoil(rows))
			if c.found == "" {
				require.Empty(t, found.seen)
				return
			}
			require.Contains(t, found.seen, c.found)
		})
	}
}
