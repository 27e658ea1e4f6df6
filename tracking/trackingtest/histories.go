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

// histories lets workers loose on a few sessions, again and again, and looks
// at all that was stored and at all that they were told.
func histories(w *world) {
	rounds := cmp.Or(w.o.Rounds, defaultRounds)
	for round := range rounds {
		for i, p := range []tracking.Pipeline{uploads(), refined()} {
			newHistory(w, p, w.o.Seed+uint64(2*round+i)).live()
		}
	}
	if w.short() {
		return
	}
	// The walk is no test if it does not get around.
	all := []string{"lost write", "lost answer", "zombie", "took over", "completed", "SUCCESS", "FAILED"}
	if w.o.Lag == 0 {
		all = append(all, "swept") // where the index lags, a history may be over first
	}
	for _, s := range all {
		if w.sums[s] == 0 {
			fail("%q never came about: %v", s, w.sums)
		}
	}
}

// history is one run: the sessions of two users of two tenants, and workers
// with a seed each.
type history struct {
	*world
	p        tracking.Pipeline
	rnd      *rand.Rand // the scheduler's and the faults'
	sessions []scope.Scope
	workers  []*worker
}

func newHistory(w *world, p tracking.Pipeline, seed uint64) *history {
	h := &history{world: w, p: p, rnd: rand.New(rand.NewPCG(seed, 1))} //nolint:gosec // turns that can be repeated, no secrets
	for i := range sessions {
		user := w.user(fmt.Sprintf("%s%d-%d", p.Name, i%2, seed), "u")
		h.sessions = append(h.sessions, session(user, i))
	}
	for i := range workers {
		skew := time.Duration(h.rnd.IntN(120)-60) * time.Second
		h.workers = append(h.workers, &worker{
			history: h, n: i, tracker: w.tracker(p, skew),
			rnd: rand.New(rand.NewPCG(seed, uint64(100+i))), //nolint:gosec // as above
		})
	}
	return h
}

func (h *history) live() {
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
		run = append(run, wk.work)
	}
	h.driver.gate.run(h.ctx, h.rnd, func() {
		h.driver.mu.Lock() // of h.rnd, which the faults draw from
		defer h.driver.mu.Unlock()
		h.pass(time.Duration(h.rnd.IntN(8000)) * time.Millisecond)
		if h.rnd.IntN(100) == 0 { // everybody pauses
			h.pass(20 * time.Minute)
		}
	}, run)
	h.driver.fault = nil
	must(h.ctx.Err(), "histories")

	for _, s := range h.sessions {
		h.inspect(s)
	}
	h.told()
	h.end()
	for _, s := range h.sessions {
		h.inspect(s)
	}
}

// inspect looks at everything that was stored of a session.
func (h *history) inspect(s scope.Scope) {
	rows := h.driver.of(s)
	v := &verdicts{found: h.found}
	records := v.history(h.p, s, rows)
	now, err := h.tracker(h.p, 0).Get(h.ctx, s)
	switch {
	case len(records) == 0:
	case err != nil:
		v.no(NoLost, "%d rows were stored, and then: %w", len(rows), err)
	case now.Version != records[len(records)-1].Version || !equalRecords(now, records[len(records)-1]):
		v.no(NoLost, "what is stored is version %d and not the last of %d rows", now.Version, len(rows))
	}
	if err := v.err(); err != nil { // reported by their properties; nothing that builds on them makes sense
		panic(failed{fmt.Errorf("the history of a record is not in order")})
	}
}

// told compares what workers were told with what was stored.
func (h *history) told() {
	v := &verdicts{found: h.found}
	held := map[string]bool{}
	ended := map[string]tracking.Record{}
	for _, s := range h.sessions {
		if rows := h.driver.of(s); len(rows) > 0 {
			r, err := read(h.p, s, rows[len(rows)-1].row)
			must(err, "read")
			ended[s.Partition()] = r
		}
	}
	for _, wk := range h.workers {
		for _, a := range wk.attempts {
			id := fmt.Sprint(a.session.Partition(), a.Stage(), a.Fence())
			if held[id] {
				v.no(OneFence, "two attempts hold %s under fence %d", a.Stage(), a.Fence())
			}
			held[id] = true
		}
		for _, c := range wk.completed {
			p := ended[c.session.Partition()].Stage(c.stage)
			if p.State != tracking.StateSuccess || p.Fence != c.fence {
				v.no(OneFence, "%s was completed under fence %d, and is %s under fence %d", c.stage, c.fence, p.State, p.Fence)
			}
		}
		for _, err := range wk.failures {
			h.found.add(err.Check, err.Err)
		}
	}
	if v.err() != nil {
		panic(failed{fmt.Errorf("what a worker was told is not true")})
	}
}
