package trackingtest

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/tracking"
)

const (
	defaultRounds = 12
	workers       = 6
	sessions      = 3
	opsEach       = 24
)

// checkHistories runs random workers on a few sessions, repeatedly, and checks
// all stored rows and all answers.
func checkHistories(w *world) {
	rounds := cmp.Or(w.o.Rounds, defaultRounds)
	for round := range rounds {
		for i, p := range []tracking.Pipeline{uploadPipeline(), documentPipeline()} {
			newHistory(w, p, uint64(2*round+i)).runHistory()
		}
	}
	if w.isShort() {
		return
	}
	// The histories are only a test if they reach every kind of event.
	all := []string{"lost write", "lost answer", "zombie", "took over", "completed", "SUCCESS", "FAILED"}
	if w.o.Lag == 0 {
		all = append(all, "swept") // a lagging index may be too late for a sweep
	}
	for _, s := range all {
		if w.sums[s] == 0 {
			w.failCheck("%q never happened: %v", s, w.sums)
		}
	}
}

// history is one run of workers, each with a seed, on the sessions of two users
// of two tenants.
type history struct {
	*world
	p        tracking.Pipeline
	rnd      *rand.Rand // the scheduler's and the faults'
	sessions []scope.Scope
	workers  []*worker
}

func newHistory(w *world, p tracking.Pipeline, seed uint64) *history {
	h := &history{world: w, p: p, rnd: rand.New(rand.NewPCG(seed, 1))} //nolint:gosec // repeatable, not secret
	for i := range sessions {
		user := w.newUser(fmt.Sprintf("%s%d-%d", p.Name, i%2, seed), "u")
		h.sessions = append(h.sessions, w.newSession(user, i))
	}
	for i := range workers {
		skew := time.Duration(h.rnd.IntN(120)-60) * time.Second
		h.workers = append(h.workers, &worker{
			history: h, n: i, tracker: w.newTracker(p, skew),
			rnd: rand.New(rand.NewPCG(seed, uint64(100+i))), //nolint:gosec // as above
		})
	}
	return h
}

func (h *history) runHistory() {
	h.driver.fault = func() (before, after bool) {
		switch h.rnd.IntN(16) {
		case 0:
			h.sums["lost write"]++
			return true, false
		case 1:
			h.sums["lost answer"]++
			return false, true
		}
		return false, false
	}
	var run []func(context.Context)
	for _, wk := range h.workers {
		run = append(run, wk.workOnSessions)
	}
	h.driver.gate.runWorkers(h.ctx, h.rnd, func() {
		h.driver.mu.Lock() // protects h.rnd, which the faults use too
		defer h.driver.mu.Unlock()
		h.passTime(time.Duration(h.rnd.IntN(8000)) * time.Millisecond)
		if h.rnd.IntN(100) == 0 { // all workers pause
			h.passTime(20 * time.Minute)
		}
	}, run)
	h.driver.fault = nil
	h.mustSucceed(h.ctx.Err(), "histories")

	for _, s := range h.sessions {
		h.inspectRows(s)
	}
	h.compareAnswers()
	h.endRecords()
	for _, s := range h.sessions {
		h.inspectRows(s)
	}
}

// inspectRows checks all stored rows of a session.
func (h *history) inspectRows(s scope.Scope) {
	rows := h.driver.rowsOf(s)
	v := &verdicts{found: h.found}
	records := v.judgeHistory(h.p, s, rows)
	now, err := h.newTracker(h.p, 0).Get(h.ctx, s)
	switch {
	case len(records) == 0:
	case err != nil:
		v.reportFailure(propNoLost, "after %d rows, Get returned: %w", len(rows), err)
	case now.Version != records[len(records)-1].Version || !equalRecords(now, records[len(records)-1]):
		v.reportFailure(propNoLost, "the stored record has version %d and is not the last of %d rows", now.Version, len(rows))
	}
	if v.first != nil { // already reported; later checks would only repeat it
		h.failCheck("the history of a record is invalid")
	}
}

// compareAnswers compares the answers that workers got with the stored records.
func (h *history) compareAnswers() {
	v := &verdicts{found: h.found}
	held := map[string]bool{}
	ended := map[string]tracking.Record{}
	for _, s := range h.sessions {
		if rows := h.driver.rowsOf(s); len(rows) > 0 {
			r, err := readRow(h.p, s, rows[len(rows)-1].row)
			h.mustSucceed(err, "read")
			ended[s.Partition()] = r
		}
	}
	for _, wk := range h.workers {
		for _, a := range wk.attempts {
			id := fmt.Sprint(a.session.Partition(), a.Stage(), a.Fence())
			if held[id] {
				v.reportFailure(propOneFence, "two attempts hold %s with fence %d", a.Stage(), a.Fence())
			}
			held[id] = true
		}
		for _, c := range wk.completed {
			p := ended[c.session.Partition()].Stage(c.stage)
			if p.State != tracking.StateSuccess || p.Fence != c.fence {
				v.reportFailure(propOneFence, "%s was completed with fence %d, but is %s with fence %d", c.stage, c.fence, p.State,
					p.Fence)
			}
		}
	}
	if v.first != nil {
		h.failCheck("an answer contradicts the stored record")
	}
}
