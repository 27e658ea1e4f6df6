package trackingtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/carrel-go/carrel/tracking"
)

// checkConvergence reports the same arrival several times, late, and to several
// observers at once, between the acts of a life. The record must end as it does
// after a single report in its place.
func checkConvergence(w *world) {
	want := ""
	reports := 24
	if w.isShort() {
		reports = 8
	}
	for n := range reports {
		rnd := rand.New(rand.NewPCG(uint64(n), 14)) //nolint:gosec // repeatable, not secret
		s := w.newSession(w.newUser("t", "u"), n)
		l := &life{w: w, tr: w.newTracker(uploadPipeline(), 0), s: s}
		acts := []act{"create", "observe", "claim enrichment", "park", "claim enrichment", "complete"}
		if n%2 == 1 {
			acts = []act{"create", "prove enrichment", "park", "claim enrichment", "complete"}
		}
		reported := 0
		for i, a := range acts {
			if n > 1 {
				reported += w.reportArrivals(l, rnd, i > 0)
			}
			w.mustSucceed(l.performAct(w.ctx, a), fmt.Sprintf("%s, after %d reports", a, reported))
		}
		r, err := l.tr.Get(w.ctx, s)
		w.mustSucceed(err, "get")
		up := r.Stage(upload)
		got := fmt.Sprint(r.Status, r.Terminal, up.State, up.Attempt, up.Fence,
			strings.TrimPrefix(up.Destination.Key, s.Prefix()))
		for st := range r.Stages() {
			got += fmt.Sprint(" ", st.Stage, st.State, st.Attempt, st.Fence)
		}
		if want == "" {
			want = got
		}
		if up.Destination.Key != s.Prefix()+"a.pdf" {
			w.failCheck("after %d reports: the upload is at %q", reported, up.Destination.Key)
		}
		if got != want {
			w.failCheck("after %d reports: %s, without: %s", reported, got, want)
		}
		if rows := w.driver.countRows(s); rows != len(acts)+countExtraRows(w.driver.rowsOf(s), n) {
			w.failCheck("%d reports and %[3]d acts stored %[2]d rows", reported, rows, len(acts))
		}
	}
}

// countExtraRows returns 1 if a report was stored before a claim, which then stored
// a row without it.
func countExtraRows(rows []written, n int) int {
	observed := slices.ContainsFunc(rows, func(w written) bool { return w.by.name == "report" })
	if observed && n%2 == 1 {
		return 1
	}
	return 0
}

// reportArrivals lets up to three observers report at once, and returns their
// number. Before the record exists, they must get ErrNotFound.
func (w *world) reportArrivals(l *life, rnd *rand.Rand, made bool) int {
	n := rnd.IntN(4)
	errs := make([]error, n)
	var observers []func(context.Context)
	tr := w.newTracker(uploadPipeline(), time.Duration(rnd.IntN(240)-120)*time.Second)
	for i := range n {
		o := &op{name: "report", session: l.s, stage: upload}
		observers = append(observers, func(ctx context.Context) {
			_, errs[i] = tr.Observe(o.inContext(ctx), l.s, tracking.Observation{Stage: upload, Dest: w.newRef(l.s, "a.pdf")})
		})
	}
	w.driver.gate.runWorkers(w.ctx, rnd, func() {}, observers)
	for _, err := range errs {
		if made && err != nil || !made && !errors.Is(err, tracking.ErrNotFound) {
			w.failCheck("a report (record exists: %t): %w", made, err)
		}
	}
	return n
}
