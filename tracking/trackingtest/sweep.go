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

// arrivals says which uploads are there: those of every second session.
func arrivals(_ context.Context, r tracking.Record, _ tracking.Stage) (object.Ref, bool, error) {
	id := r.Scope.SessionID()
	if id[len(id)-1]%2 == 0 {
		return object.Ref{}, false, nil
	}
	return ref(r.Scope, "a.pdf"), true, nil
}

func (w *world) sweepBy(ctx context.Context, tr *tracking.Tracker) (tracking.SweepResult, error) {
	return tr.Sweep(ctx, &tracking.SweepOptions{System: table.NewSystem(w.table), Look: arrivals})
}

func (wk *worker) sweep(ctx context.Context) {
	o := &op{name: "sweep"}
	res, err := wk.sweepBy(o.in(ctx), wk.tracker)
	if err != nil {
		wk.no(Answers, "sweep: %w", err)
	}
	for _, e := range res.Errors {
		if !errors.Is(e, errCut) && !errors.Is(e, tracking.ErrContended) && !errors.Is(e, table.ErrBusy) {
			wk.no(Answers, "sweep: %w", e)
		}
	}
	if res.Lost+res.Observed+res.Abandoned > 0 {
		wk.note("swept")
	}
}

// end brings the records of a history to their ends: the first by somebody who
// takes it up again, the others by time.
func (h *history) end() {
	tr := h.tracker(h.p, 0)
	if len(h.driver.of(h.sessions[0])) > 0 {
		h.takeUp(tr, h.p, h.sessions[0])
	}
	h.wait(tr, h.sessions)
	for _, s := range h.sessions {
		if rows := h.driver.of(s); len(rows) > 0 {
			r, err := read(h.p, s, rows[len(rows)-1].row)
			must(err, "read")
			h.sums[string(r.Status)]++
		}
	}
	if err := try(func() { h.eventually(func() { h.dueIs(map[string]bool{}) }) }); err != nil {
		h.found.add(DueIndex, err)
	}
}

// wait lets time pass, and sweeps, until the records have ended, and sees that
// they can be taken up until then.
func (w *world) wait(tr *tracking.Tracker, sessions []scope.Scope) {
	for range 12 {
		open := 0
		for _, s := range sessions {
			if w.driver.count(s) == 0 {
				continue
			}
			r, err := tr.Get(w.ctx, s)
			must(err, "get")
			if r.Terminal {
				continue
			}
			open++
			rows := w.driver.of(s)
			if why := w.takeable(r, rows[len(rows)-1].row); why != "" {
				w.found.add(Crash, errors.New(why))
			}
		}
		if open == 0 {
			return
		}
		w.pass(3 * time.Hour) // everything is overdue
		err := try(func() {
			w.eventually(func() {
				res, err := w.sweepBy(w.ctx, tr)
				must(err, "sweep")
				if len(res.Errors) > 0 {
					fail("sweep: %w", res.Errors[0])
				}
				if res.Lost+res.Observed+res.Abandoned == 0 {
					fail("%d records are overdue, and a sweep does nothing", open)
				}
			})
		})
		if err != nil {
			w.found.add(Crash, err)
			return
		}
	}
	w.found.add(Crash, errors.New("a record that is left alone does not end in twelve sweeps, three hours apart"))
}

// takeable says why nobody can go on with a record, if that is so. What it
// tries is not stored.
func (w *world) takeable(r tracking.Record, row table.Row) string {
	p := uploads()
	if r.Pipeline != p.Name {
		p = refined()
	}
	later := w.clock(time.Hour) // when every lease is dead
	tr := trackerOn(table.New(onlyRow{row: row}, nil), p, later)
	said := ""
	for _, spec := range p.Stages {
		st := r.Stage(spec.Stage)
		if spec.Optional || st.State == tracking.StateSuccess {
			continue
		}
		if spec.External {
			if _, err := tr.Observe(w.ctx, r.Scope, tracking.Observation{Stage: spec.Stage}); err != nil {
				said += fmt.Sprintf("%v; ", err)
			}
			continue
		}
		take := tr.Start
		if st.Resumable() {
			take = tr.Resume
		}
		_, err := take(w.ctx, r.Scope, spec.Stage, &tracking.StartOptions{Key: "late", Observed: &tracking.Observation{Stage: upload}})
		if err == nil || errors.Is(err, tracking.ErrExhausted) {
			return ""
		}
		said += fmt.Sprintf("%v; ", err)
	}
	return fmt.Sprintf("a record that is %s cannot be taken up: %s", r.Status, said)
}

// takeUp goes on with a record to its end, as somebody does who finds it.
func (w *world) takeUp(tr *tracking.Tracker, p tracking.Pipeline, s scope.Scope) {
	w.pass(5 * time.Minute) // leases die
	for _, spec := range p.Stages {
		if spec.Optional {
			continue
		}
		r, err := tr.Get(w.ctx, s)
		must(err, "get")
		st := r.Stage(spec.Stage)
		if r.Terminal || st.State == tracking.StateSuccess {
			continue
		}
		if spec.External {
			_, err = tr.Observe((&op{name: "observe", stage: upload}).in(w.ctx), s, tracking.Observation{Stage: spec.Stage})
			must(err, "observe")
			continue
		}
		o := &op{name: "start", session: s, stage: spec.Stage}
		take := tr.Start
		if st.Resumable() {
			o.name, take = "resume", tr.Resume
		}
		a, err := take(o.in(w.ctx), s, spec.Stage, &tracking.StartOptions{Key: "late"})
		if errors.Is(err, tracking.ErrExhausted) {
			return // time ends it
		}
		if err != nil {
			w.found.add(Crash, fmt.Errorf("a record that was left: %w", err))
			return
		}
		o = &op{name: "complete", session: s, stage: spec.Stage, fence: a.Fence()}
		must(a.Complete(o.in(w.ctx), object.Ref{}), "complete")
	}
	r, err := tr.Get(w.ctx, s)
	must(err, "get")
	if !r.Terminal {
		w.found.add(Crash, fmt.Errorf("a record of which every stage was completed is %s", r.Status))
	}
}

// crashes ends the process of every life after each of its writes. Somebody
// else can go on at once, or never: then time ends the record.
func crashes(w *world) {
	n := 0
	for name, script := range lives() {
		for after := range len(script.acts) {
			for _, late := range []bool{true, false} {
				if w.short() && late != (after%2 == 0) {
					continue
				}
				tr := w.tracker(script.p, 0)
				l := &life{tr: w.tracker(script.p, time.Duration(n%3-1)*20*time.Second), s: session(w.user("t", script.p.Name), n)}
				n++
				for _, a := range script.acts[:after+1] {
					must(a.do(w.ctx, l), a.name)
				}
				if !late {
					w.takeUp(tr, script.p, l.s)
					r, err := tr.Get(w.ctx, l.s)
					must(err, "get")
					if r.Status != tracking.StatusSuccess {
						fail("%s, taken up after act %d: %s", name, after+1, r.Status)
					}
					continue
				}
				w.wait(tr, []scope.Scope{l.s})
			}
		}
	}
}

// dueIndex compares the due index, as the driver lists it, with the records
// that have not ended, while some are made and others end.
func dueIndex(w *world) {
	tr := w.tracker(uploads(), 0)
	_, err := w.sweepBy(w.ctx, tr) // which looks into every shard
	must(err, "sweep")
	want := map[string]bool{}
	user := w.user("t", "u")
	for n := range 60 {
		class := []tracking.Class{tracking.Active, tracking.Failed, tracking.Success}[n%3]
		s := w.record(tr, user, n, class)
		want[s.Partition()] = class != tracking.Success
		if n%12 == 4 {
			_, err := tr.Cancel(w.ctx, session(user, n-1))
			must(err, "cancel")
			want[session(user, n-1).Partition()] = false
		}
		if n%20 == 19 {
			w.eventually(func() { w.dueIs(want) })
		}
	}
	all := []scope.Scope{}
	for n := range 60 {
		all = append(all, session(user, n))
	}
	w.wait(tr, all)
	w.eventually(func() { w.dueIs(map[string]bool{}) })
}

// dueIs compares what of the world's the driver lists in the due index.
func (w *world) dueIs(want map[string]bool) {
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
			must(err, "query of the due index")
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
		fail("due are %v, not terminal are %v", got, want)
	}
}
