package trackingtest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tracking"
)

// lookForArrival reports an upload for every second session.
func (w *world) lookForArrival(_ context.Context, r tracking.Record, _ tracking.Stage) (object.Ref, bool, error) {
	id := r.Scope.SessionID()
	if id[len(id)-1]%2 == 0 {
		return object.Ref{}, false, nil
	}
	return w.newRef(r.Scope, "a.pdf"), true, nil
}

func (w *world) sweepBy(ctx context.Context, tr *tracking.Tracker) (tracking.SweepResult, error) {
	return tr.Sweep(ctx, &tracking.SweepOptions{System: w.table.System(), Look: w.lookForArrival})
}

func (wk *worker) sweepTable(ctx context.Context) {
	o := &op{name: "sweep"}
	res, err := wk.sweepBy(o.inContext(ctx), wk.tracker)
	if err != nil {
		wk.reportFailure(propAnswers, "sweep: %w", err)
	}
	for _, e := range res.Errors {
		if !errors.Is(e, errCut) && !errors.Is(e, tracking.ErrContended) && !errors.Is(e, table.ErrBusy) {
			wk.reportFailure(propAnswers, "sweep: %w", e)
		}
	}
	if res.Lost+res.Observed+res.Abandoned > 0 {
		wk.countEvent("swept")
	}
}

// endRecords ends the records of a history: a worker continues the first, and
// sweeps end the others.
func (h *history) endRecords() {
	tr := h.newTracker(h.p, 0)
	if len(h.driver.rowsOf(h.sessions[0])) > 0 {
		h.takeUp(tr, h.p, h.sessions[0])
	}
	h.awaitEnds(tr, h.sessions)
	for _, s := range h.sessions {
		if rows := h.driver.rowsOf(s); len(rows) > 0 {
			r, err := readRow(h.p, s, rows[len(rows)-1].row)
			h.mustSucceed(err, "read")
			h.sums[string(r.Status)]++
		}
	}
	if err := h.retryUntilLag(func() error { return h.checkDue(map[string]bool{}) }); err != nil {
		h.found.addFinding(propDueIndex, err)
	}
}

// awaitEnds lets time pass and sweeps until all records have ended. It checks
// that each can be continued before that.
func (w *world) awaitEnds(tr *tracking.Tracker, sessions []scope.Scope) {
	for range 12 {
		open := 0
		for _, s := range sessions {
			if w.driver.countRows(s) == 0 {
				continue
			}
			r, err := tr.Get(w.ctx, s)
			w.mustSucceed(err, "get")
			if r.Terminal {
				continue
			}
			open++
			rows := w.driver.rowsOf(s)
			if why := w.explainStuck(r, rows[len(rows)-1].row); why != "" {
				w.found.addFinding(propCrash, errors.New(why))
			}
		}
		if open == 0 {
			return
		}
		w.passTime(3 * time.Hour) // everything is overdue
		err := w.retryUntilLag(func() error {
			res, err := w.sweepBy(w.ctx, tr)
			switch {
			case err != nil:
				return err
			case len(res.Errors) > 0:
				return res.Errors[0]
			case res.Lost+res.Observed+res.Abandoned == 0:
				return fmt.Errorf("%d records are overdue, but a sweep changes nothing", open)
			}
			return nil
		})
		if err != nil {
			w.found.addFinding(propCrash, err)
			return
		}
	}
	w.found.addFinding(propCrash, errors.New("an abandoned record does not end within twelve sweeps, three hours apart"))
}

// explainStuck returns the reason that no worker can continue a record, or "". It
// stores nothing.
func (w *world) explainStuck(r tracking.Record, row table.Row) string {
	p := uploadPipeline()
	if r.Pipeline != p.Name {
		p = documentPipeline()
	}
	later := w.newClock(time.Hour) // when every lease has expired
	tr := w.trackerOn(w.newTable(onlyRow{row: row}), p, later)
	reasons := ""
	for _, spec := range p.Stages {
		st := r.Stage(spec.Stage)
		if spec.Optional || st.State == tracking.StateSuccess {
			continue
		}
		if spec.External {
			if _, err := tr.Observe(w.ctx, r.Scope, tracking.Observation{Stage: spec.Stage}); err != nil {
				reasons += fmt.Sprintf("%v; ", err)
			}
			continue
		}
		_, err := tr.Claim(w.ctx, r.Scope, spec.Stage,
			&tracking.ClaimOptions{Key: "late", Observed: &tracking.Observation{Stage: upload}})
		if err == nil || errors.Is(err, tracking.ErrExhausted) {
			return ""
		}
		reasons += fmt.Sprintf("%v; ", err)
	}
	return fmt.Sprintf("a record that is %s cannot be continued: %s", r.Status, reasons)
}

// takeUp continues a record to its end.
func (w *world) takeUp(tr *tracking.Tracker, p tracking.Pipeline, s scope.Scope) {
	w.passTime(5 * time.Minute) // leases expire
	for _, spec := range p.Stages {
		if spec.Optional {
			continue
		}
		r, err := tr.Get(w.ctx, s)
		w.mustSucceed(err, "get")
		st := r.Stage(spec.Stage)
		if r.Terminal || st.State == tracking.StateSuccess {
			continue
		}
		if spec.External {
			_, err = tr.Observe((&op{name: "observe", stage: upload}).inContext(w.ctx), s,
				tracking.Observation{Stage: spec.Stage})
			w.mustSucceed(err, "observe")
			continue
		}
		o := &op{name: "claim", session: s, stage: spec.Stage}
		a, err := tr.Claim(o.inContext(w.ctx), s, spec.Stage, &tracking.ClaimOptions{Key: "late"})
		if errors.Is(err, tracking.ErrExhausted) {
			return // a sweep ends it
		}
		if err != nil {
			w.found.addFinding(propCrash, fmt.Errorf("continuing a record: %w", err))
			return
		}
		o = &op{name: "complete", session: s, stage: spec.Stage, fence: a.Fence()}
		w.mustSucceed(a.Complete(o.inContext(w.ctx), object.Ref{}), "complete")
	}
	r, err := tr.Get(w.ctx, s)
	w.mustSucceed(err, "get")
	if !r.Terminal {
		w.found.addFinding(propCrash, fmt.Errorf("every stage was completed, but the record is %s", r.Status))
	}
}

// checkCrashes stops every life after each of its writes. Another worker must be
// able to continue it at once; if none does, sweeps must end the record.
func checkCrashes(w *world) {
	n := 0
	for name, script := range lifeScripts() {
		for after := range len(script.acts) {
			for _, late := range []bool{true, false} {
				if w.isShort() && late != (after%2 == 0) {
					continue
				}
				tr := w.newTracker(script.p, 0)
				l := &life{w: w, tr: w.newTracker(script.p, time.Duration(n%3-1)*20*time.Second),
					s: w.newSession(w.newUser("t", script.p.Name), n)}
				n++
				for _, a := range script.acts[:after+1] {
					w.mustSucceed(l.performAct(w.ctx, a), string(a))
				}
				if !late {
					w.takeUp(tr, script.p, l.s)
					r, err := tr.Get(w.ctx, l.s)
					w.mustSucceed(err, "get")
					if r.Status != tracking.StatusSuccess {
						w.failCheck("%s, continued after act %d: %s", name, after+1, r.Status)
					}
					continue
				}
				w.awaitEnds(tr, []scope.Scope{l.s})
			}
		}
	}
}

// checkDueIndex compares the due index with the records that have not ended,
// while some are created and others end.
func checkDueIndex(w *world) {
	tr := w.newTracker(uploadPipeline(), 0)
	_, err := w.sweepBy(w.ctx, tr) // which queries every shard
	w.mustSucceed(err, "sweep")
	want := map[string]bool{}
	user := w.newUser("t", "u")
	for n := range 60 {
		class := []tracking.Class{tracking.ClassActive, tracking.ClassFailed, tracking.ClassSuccess}[n%3]
		s := w.makeRecord(tr, user, n, class)
		want[s.Partition()] = class != tracking.ClassSuccess
		if n%12 == 4 {
			_, err := tr.Cancel(w.ctx, w.newSession(user, n-1))
			w.mustSucceed(err, "cancel")
			want[w.newSession(user, n-1).Partition()] = false
		}
		if n%20 == 19 {
			w.mustSucceed(w.retryUntilLag(func() error { return w.checkDue(want) }), "due index")
		}
	}
	all := []scope.Scope{}
	for n := range 60 {
		all = append(all, w.newSession(user, n))
	}
	w.awaitEnds(tr, all)
	w.mustSucceed(w.retryUntilLag(func() error { return w.checkDue(map[string]bool{}) }), "due index")
}

// checkDue compares the world's entries in the due index with want.
func (w *world) checkDue(want map[string]bool) error {
	got := map[string]bool{}
	for p := range want {
		got[p] = false
	}
	w.driver.mu.Lock()
	keys, stored := w.driver.shards, w.driver.history
	w.driver.mu.Unlock()
	for _, k := range keys {
		q := table.DriverQuery{Key: k, Slot: table.I3, Limit: 1000}
		for {
			page, err := w.driver.Query(w.ctx, q)
			if err != nil {
				return fmt.Errorf("query of the due index: %w", err)
			}
			for _, r := range page.Rows {
				if len(stored[r.Partition]) > 0 {
					got[r.Partition] = true
				}
			}
			if !page.More || len(page.Rows) == 0 {
				break
			}
			last := page.Rows[len(page.Rows)-1]
			q.After = &table.Position{Index: last.Index[table.I3-1][1], Partition: last.Partition, Sort: last.Sort}
		}
	}
	if !reflect.DeepEqual(got, want) {
		return fmt.Errorf("the due index has %v, the records that are not terminal are %v", got, want)
	}
	return nil
}
