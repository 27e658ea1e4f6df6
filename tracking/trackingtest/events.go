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

// events reports the same arrival often, late, and to several observers at
// once, between the acts of a life: each time the record ends as it does when
// the report comes once, in its place.
func events(w *world) {
	want := ""
	reports := 24
	if w.short() {
		reports = 8
	}
	for n := range reports {
		rnd := rand.New(rand.NewPCG(w.o.Seed+uint64(n), 14)) //nolint:gosec // an order that can be repeated, no secrets
		s := session(w.user("t", "u"), n)
		l := &life{tr: w.tracker(uploads(), 0), s: s}
		e := tracking.Enrichment
		acts := []act{create(), observe(), starts(e, false), parks(), resumes(), completes()}
		if n%2 == 1 {
			acts = []act{create(), starts(e, true), parks(), resumes(), completes()}
		}
		reported := 0
		for i, a := range acts {
			if n > 1 {
				reported += w.report(l, rnd, i > 0)
			}
			must(a.do(w.ctx, l), fmt.Sprintf("%s, after %d reports", a.name, reported))
		}
		r, err := l.tr.Get(w.ctx, s)
		must(err, "get")
		up := r.Stage(upload)
		got := fmt.Sprint(r.Status, r.Terminal, up.State, up.Attempt, up.Fence, strings.TrimPrefix(up.Destination.Key, s.Prefix()))
		for st := range r.Stages() {
			got += fmt.Sprint(" ", st.Stage, st.State, st.Attempt, st.Fence)
		}
		if want == "" {
			want = got
		}
		if up.Destination.Key != s.Prefix()+"a.pdf" {
			fail("after %d reports: the upload lies at %q", reported, up.Destination.Key)
		}
		if got != want {
			fail("after %d reports: %s, without: %s", reported, got, want)
		}
		if rows := w.driver.count(s); rows != len(acts)+extra(w.driver.of(s), n) {
			fail("%d reports are %d rows, of %d acts", reported, rows, len(acts))
		}
	}
}

// extra is the row of a report that came before its act, which then wrote none
// or, as a claim does, wrote its own part.
func extra(rows []written, n int) int {
	observed := slices.ContainsFunc(rows, func(w written) bool { return w.by.name == "report" })
	if observed && n%2 == 1 {
		return 1
	}
	return 0
}

// report lets up to three observers report at once, and returns how many.
// Before there is a record, the answer is that there is none.
func (w *world) report(l *life, rnd *rand.Rand, made bool) int {
	n := rnd.IntN(4)
	errs := make([]error, n)
	var observers []func(context.Context)
	tr := w.tracker(uploads(), time.Duration(rnd.IntN(240)-120)*time.Second)
	for i := range n {
		o := &op{name: "report", session: l.s, stage: upload}
		observers = append(observers, func(ctx context.Context) {
			_, errs[i] = tr.Observe(o.in(ctx), l.s, tracking.Observation{Stage: upload, Dest: ref(l.s, "a.pdf")})
		})
	}
	w.driver.gate.run(w.ctx, rnd, func() {}, observers)
	for _, err := range errs {
		if made && err != nil || !made && !errors.Is(err, tracking.ErrNotFound) {
			fail("a report, where there is a record: %t: %w", made, err)
		}
	}
	return n
}
