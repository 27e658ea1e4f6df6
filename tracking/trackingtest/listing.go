package trackingtest

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tracking"
)

// makeRecord creates the record of the user's session number n in a class.
func (w *world) makeRecord(tr *tracking.Tracker, user scope.Scope, n int, class tracking.Class) scope.Scope {
	s := w.newSession(user, n)
	_, err := tr.Create(w.ctx, s, &tracking.CreateOptions{Filename: fmt.Sprintf("%d.pdf", n)})
	w.mustSucceed(err, "create")
	w.moveToClass(tr, s, class)
	return s
}

// moveToClass brings a new record into a class.
func (w *world) moveToClass(tr *tracking.Tracker, s scope.Scope, class tracking.Class) {
	if class == tracking.ClassActive {
		return
	}
	a, err := tr.Claim(w.ctx, s, tracking.Enrichment, &tracking.ClaimOptions{
		Key: "r", Observed: &tracking.Observation{Stage: upload},
	})
	w.mustSucceed(err, "start")
	switch class {
	case tracking.ClassWaiting:
		w.mustSucceed(a.Park(w.ctx, 0), "park")
		return
	case tracking.ClassFailed:
		w.mustSucceed(a.Fail(w.ctx, &tracking.Error{Code: "throttled", Message: "Too much at once.", Retryable: true}),
			"fail")
		return
	}
	w.mustSucceed(a.Complete(w.ctx, object.Ref{}), "complete")
}

// listAll reads every page, calling between before each but the first.
func (w *world) listAll(tr *tracking.Tracker, s scope.Scope, f tracking.Filter, between func()) ([]string, error) {
	out := []string{}
	for pages := 0; ; pages++ {
		p, err := tr.List(w.ctx, s, f)
		if err != nil {
			return nil, fmt.Errorf("list: %w", err)
		}
		if len(p.Records) > f.Limit || p.Next != "" && len(p.Records) < f.Limit || pages > 200 {
			return nil, fmt.Errorf("a page of %d rows with limit %d (has a next page: %t)", len(p.Records), f.Limit,
				p.Next != "")
		}
		for _, r := range p.Records {
			out = append(out, string(r.Class)+" "+r.Scope.UserID()+" "+r.Scope.SessionID())
		}
		if p.Next == "" {
			return out, nil
		}
		f.Cursor = p.Next
		between()
	}
}

// checkListing pages through a tenant's and a user's records while newer ones are
// created. The earlier records must be listed exactly once, newest first.
func checkListing(w *world) {
	tr := w.newTracker(uploadPipeline(), 0)
	classes := []tracking.Class{tracking.ClassActive, tracking.ClassWaiting, tracking.ClassFailed, tracking.ClassSuccess}
	users := []scope.Scope{w.newUser("t", "u1"), w.newUser("t", "u2")}
	tenant, err := scope.Tenant(users[0].TenantID())
	w.mustSucceed(err, "tenant")
	type made struct {
		s     scope.Scope
		class tracking.Class
	}
	var records []made
	for n := range 40 {
		class := classes[n%len(classes)]
		records = append(records, made{w.makeRecord(tr, users[n/len(classes)%2], n, class), class})
	}
	slices.Reverse(records)
	newer := 1000
	for _, within := range []scope.Scope{tenant, users[0], users[1]} {
		for _, class := range append([]tracking.Class{""}, classes...) {
			want := []string{}
			for _, r := range records {
				if within.Contains(r.s) && (class == "" || class == r.class) {
					want = append(want, string(r.class)+" "+r.s.UserID()+" "+r.s.SessionID())
				}
			}
			for _, limit := range []int{1, 3, 7, 50} {
				what := fmt.Sprintf("class %q of a %s, %d a page", class, within.Level(), limit)
				err := w.retryUntilLag(func() error { return w.checkList(tr, within, class, limit, want, nil) })
				w.mustSucceed(err, what)
			}
			// After a page, a newer record is created and changes its class.
			left := 12
			if w.isShort() {
				left = 2
			}
			err := w.checkList(tr, within, class, 3, want, func() {
				if left--; left < 0 {
					return
				}
				s := w.makeRecord(tr, users[newer%2], newer, tracking.ClassActive)
				newer++
				w.moveToClass(tr, s, classes[newer%len(classes)])
			})
			w.mustSucceed(err, fmt.Sprintf("class %q of a %s, while others are made", class, within.Level()))
		}
	}
	w.checkCounts(tr, users, len(records)+newer-1000)
}

// checkList lists all records and compares those that are not newer than the
// first ones with want.
func (w *world) checkList(tr *tracking.Tracker, within scope.Scope, class tracking.Class, limit int, want []string,
	between func()) error {
	if between == nil {
		between = func() {}
	}
	newest := w.newSession(w.newUser("t", "u1"), 999).SessionID()
	all, err := w.listAll(tr, within, tracking.Filter{Class: class, Limit: limit}, between)
	if err != nil {
		return err
	}
	got := slices.DeleteFunc(all, func(s string) bool {
		return s[len(s)-len(newest):] > newest
	})
	if !reflect.DeepEqual(got, want) {
		return fmt.Errorf("got %v, want %v", got, want)
	}
	return nil
}

func (w *world) checkCounts(tr *tracking.Tracker, users []scope.Scope, want int) {
	err := w.retryUntilLag(func() error {
		got := 0
		for _, u := range users {
			c, err := tr.Count(w.ctx, u)
			if err != nil {
				return err
			}
			if c.Capped || c.All != c.Active+c.Waiting+c.Failed+c.Success {
				return fmt.Errorf("counts %+v", c)
			}
			got += c.All
		}
		if got != want {
			return fmt.Errorf("%d records are counted, %d were created", got, want)
		}
		return nil
	})
	w.mustSucceed(err, "count")
}
