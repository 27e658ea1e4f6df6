package integration_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent/history"
	"github.com/carrel-go/carrel/internal/transcript"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/sse/replay"
	"github.com/carrel-go/carrel/tracking"
)

// stores contains the stores of the servers.
type stores struct {
	logs    *replay.Store
	turns   *history.Store
	tracker *tracking.Tracker
}

func (w *crashWorld) openStores(t *testing.T) (s stores) {
	t.Helper()
	var err error
	s.logs, err = replay.New(w.table, newCrashLogOptions(w.objects))
	require.NoError(t, err)
	s.turns, err = history.New(w.table, &history.Options{Objects: w.objects})
	require.NoError(t, err)
	s.tracker, err = tracking.New(w.table, crashPipeline(), nil)
	require.NoError(t, err)
	return s
}

// check compares the events that the clients of a visit received with the log, the history and the effects, and returns
// their transcript.
func (v *visit) check(t *testing.T, s stores) transcript.Transcript {
	t.Helper()
	stored := map[string][]replay.Event{}
	var all [][]replay.Event
	for _, run := range v.runs {
		number := run[strings.LastIndexByte(run, '.')+1:]
		for e, err := range s.logs.Events(t.Context(), v.session, fmt.Sprintf("%08s", number), "") {
			require.NoError(t, err, run)
			stored[run] = append(stored[run], e)
		}
		all = append(all, stored[run])
	}
	for _, r := range v.followers {
		require.Equal(t, printEvents(stored[r.run]), printEvents(r.events), "a client of %s has its log", r.run)
	}
	shown, err := transcript.FromLog(all...)
	require.NoError(t, err, "%s: %s", v.runs, shown.Last)
	isCut := v.stops && shown.Last == `{"type":"finished","outcome":"stopped"}`
	if !isCut {
		require.JSONEq(t, `{"type":"finished","outcome":"complete"}`, shown.Last, v.runs)
	}
	v.checkText(t, shown.Text, isCut)

	h, _, err := s.turns.Load(t.Context(), v.session)
	require.NoError(t, err)
	remembered, err := transcript.FromTurns(h.Turns)
	require.NoError(t, err, v.runs)
	if isCut { // the history does not have the answer that was cut
		require.True(t, strings.HasPrefix(shown.Text, remembered.Text), "%s: %s", v.runs, remembered.Text)
		require.Subset(t, shown.Calls, remembered.Calls, "%s", v.runs)
	} else {
		require.Equal(t, remembered.Text, shown.Text, "%s: the history and the log have the same text", v.runs)
		require.Equal(t, remembered.Calls, shown.Calls, "%s: the history and the log have the same calls", v.runs)
	}
	v.checkCalls(t, shown.Calls, isCut)
	v.checkRuns(t)

	rec, err := s.tracker.Get(t.Context(), v.session)
	require.NoError(t, err)
	want := []tracking.State{tracking.StateSuccess}
	if isCut { // perhaps before it had a place
		want = []tracking.State{tracking.StateFailed, tracking.StateQueued}
	}
	require.Contains(t, want, rec.Stage(crashAnswer).State, "%s: %v", v.runs, rec.Stage(crashAnswer))
	return shown
}

// checkText checks that each answer of the model is there once, whole, and without parts of another one. The last answer
// of a run that was stopped may be cut.
func (v *visit) checkText(t *testing.T, text string, isCut bool) {
	t.Helper()
	words := strings.Fields(text)
	if !isCut {
		require.Len(t, words, v.plan.answers()*v.plan.Words, "%s: %s", v.runs, text)
	}
	seen := map[string]bool{}
	id := ""
	for i, word := range words {
		k := i % v.plan.Words
		if k == 0 {
			id, _, _ = strings.Cut(word, ":")
			require.False(t, seen[id], "%s: an answer is shown twice: %s", v.runs, text)
			seen[id] = true
		}
		require.Equal(t, fmt.Sprint(id, ":", k), word, "%s: %s", v.runs, text)
	}
}

// checkCalls checks that each call has its result, and each book its effect, once. Not all calls of a run that was stopped
// are made.
func (v *visit) checkCalls(t *testing.T, calls []transcript.Call, isCut bool) {
	t.Helper()
	e := v.world.effects
	e.mu.Lock()
	defer e.mu.Unlock()
	shown := map[string]bool{}
	for _, c := range calls {
		title := strings.Split(c.Input, `"`)[3]
		shown[title] = true
		switch isDeclined := c.Name == "lend_book" && !v.approves; {
		case isCut && c.IsError:
		case isDeclined:
			require.True(t, c.IsError, "%s: %+v", v.runs, c)
			require.Zero(t, e.keyed[title], "%s: effects of %q", v.runs, title)
		case c.Name == "ring_bell":
			require.Positive(t, e.keyless[title], "%s: the bell rings", v.runs)
		default:
			require.False(t, c.IsError, "%s: %+v", v.runs, c)
			require.Equal(t, 1, e.keyed[title], "%s: effects of %q", v.runs, title)
		}
	}
	want := map[string]bool{}
	for _, title := range v.plan.effects() {
		want[title] = true
		require.LessOrEqual(t, e.keyed[title], 1, "%s: effects of %q", v.runs, title)
	}
	require.Len(t, calls, len(shown), "%s: a call is made twice", v.runs)
	if isCut {
		require.Subset(t, want, shown, "%s", v.runs)
		return
	}
	require.Equal(t, want, shown, "%s", v.runs)
}

// checkRuns checks that the session has one run, and one that continues it after a decision.
func (v *visit) checkRuns(t *testing.T) {
	t.Helper()
	want := []string{v.session.SessionID() + ".1"}
	if v.plan.Lend {
		want = append(want, v.session.SessionID()+".2")
	}
	require.Equal(t, want, v.runs)
	view, err := v.world.table.In(v.session)
	require.NoError(t, err)
	page, err := view.Query(t.Context(), table.Query{From: "run#", To: "run$", Consistent: true})
	require.NoError(t, err)
	require.Len(t, page.Items, len(want), "%s", v.runs)
}

// checkNothingLeft checks that no run has not ended, no place is taken and no token is reserved. The places of dead
// processes expire.
func (w *crashWorld) checkNothingLeft(t *testing.T, visits []*visit, reported map[string]int64) {
	t.Helper()
	system := w.table.System()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		for shard := range 8 {
			page, err := system.Query(t.Context(), shard, table.Query{Slot: table.I3, Class: "run"})
			require.NoError(c, err)
			require.Empty(c, page.Items, "runs that have not ended")
		}
	}, 10*time.Second, 200*time.Millisecond)
	sessions := map[string]scope.Scope{}
	for _, v := range visits {
		sessions[v.session.TenantID()+v.session.UserID()] = v.session
	}
	for _, session := range sessions {
		w.checkPlaces(t, session)
		w.checkBudget(t, session, reported[session.TenantID()])
	}
}

func (w *crashWorld) checkPlaces(t *testing.T, session scope.Scope) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		for _, level := range []scope.Level{scope.UserLevel, scope.TenantLevel} {
			for _, prefix := range []string{"slot#", "wait#"} {
				require.Empty(c, w.query(t, session, level, prefix), "places")
			}
		}
	}, 2*crashLease, 200*time.Millisecond)
}

// checkBudget checks that no tokens are reserved, and that at least the reported ones are used.
func (w *crashWorld) checkBudget(t *testing.T, session scope.Scope, reported int64) {
	t.Helper()
	var used int64
	for _, found := range w.query(t, session, scope.TenantLevel, "budget#") {
		require.Empty(t, found.Item.Attr["reserved"], "reserved tokens of %s", session.TenantID())
		n, _ := found.Item.Attr["used"].(int64)
		used += n
	}
	require.GreaterOrEqual(t, used, reported, "used tokens of %s", session.TenantID())
}

// query returns the items of a level above a session.
func (w *crashWorld) query(t *testing.T, session scope.Scope, level scope.Level, prefix string) []table.Found {
	t.Helper()
	view, err := w.table.System().Above(session, level)
	require.NoError(t, err)
	q := table.Query{From: prefix, To: prefix + "~", Consistent: true, Limit: table.MaxLimit}
	page, err := view.Query(t.Context(), q)
	require.NoError(t, err)
	return page.Items
}
