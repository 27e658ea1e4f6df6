package trackingtest

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tracking"
)

// record makes the user's session number n, in a class.
func (w *world) record(tr *tracking.Tracker, user scope.Scope, n int, class tracking.Class) scope.Scope {
	s := session(user, n)
	_, err := tr.Create(w.ctx, s, &tracking.CreateOptions{Filename: fmt.Sprintf("%d.pdf", n)})
	must(err, "create")
	w.turn(tr, s, class)
	return s
}

// turn takes a new record into a class.
func (w *world) turn(tr *tracking.Tracker, s scope.Scope, class tracking.Class) {
	if class == tracking.Active {
		return
	}
	a, err := tr.Start(w.ctx, s, tracking.Enrichment, &tracking.StartOptions{
		Key: "r", Observed: &tracking.Observation{Stage: upload},
	})
	must(err, "start")
	if class == tracking.Failed {
		must(a.Fail(w.ctx, &tracking.Error{Code: "throttled", Message: "Too much at once."}), "fail")
		return
	}
	must(a.Complete(w.ctx, object.Ref{}), "complete")
}

// all reads every page, calling between before each but the first.
func (w *world) all(tr *tracking.Tracker, s scope.Scope, f tracking.Filter, between func()) []string {
	out := []string{}
	for pages := 0; ; pages++ {
		p, err := tr.List(w.ctx, s, f)
		must(err, "list")
		if len(p.Records) > f.Limit || p.Next != "" && len(p.Records) < f.Limit || pages > 200 {
			fail("a page of %d rows where the limit is %d, more: %t", len(p.Records), f.Limit, p.Next != "")
		}
		for _, r := range p.Records {
			out = append(out, string(r.Class)+" "+r.Scope.UserID()+" "+r.Scope.SessionID())
		}
		if p.Next == "" {
			return out
		}
		f.Cursor = p.Next
		between()
	}
}

// listing pages through a tenant's and a user's records while others are made:
// those that were there when it began are listed exactly once, newest first,
// and in their place between them nothing else.
func listing(w *world) {
	tr := w.tracker(uploads(), 0)
	classes := []tracking.Class{tracking.Active, tracking.Failed, tracking.Success}
	users := []scope.Scope{w.user("t", "u1"), w.user("t", "u2")}
	tenant, err := scope.Tenant(users[0].TenantID())
	must(err, "tenant")
	type made struct {
		s     scope.Scope
		class tracking.Class
	}
	var records []made
	for n := range 40 {
		class := classes[n%3]
		records = append(records, made{w.record(tr, users[n/3%2], n, class), class})
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
				w.eventually(func() { w.exactly(tr, within, class, limit, want, nil, what) })
			}
			// A newer one is made after a page, and changes its class.
			left := 12
			if w.short() {
				left = 2
			}
			w.exactly(tr, within, class, 3, want, func() {
				if left--; left < 0 {
					return
				}
				s := w.record(tr, users[newer%2], newer, tracking.Active)
				newer++
				w.turn(tr, s, classes[newer%3])
			}, fmt.Sprintf("class %q of a %s, while others are made", class, within.Level()))
		}
	}
	w.counts(tr, users, len(records)+newer-1000)
}

// exactly lists, and compares what is not newer than the records that were
// there with those.
func (w *world) exactly(tr *tracking.Tracker, within scope.Scope, class tracking.Class, limit int, want []string, between func(), what string) {
	if between == nil {
		between = func() {}
	}
	newest := session(w.user("t", "u1"), 999).SessionID()
	got := slices.DeleteFunc(w.all(tr, within, tracking.Filter{Class: class, Limit: limit}, between), func(s string) bool {
		return s[len(s)-len(newest):] > newest
	})
	if !reflect.DeepEqual(got, want) {
		fail("%s: got %v, want %v", what, got, want)
	}
}

func (w *world) counts(tr *tracking.Tracker, users []scope.Scope, want int) {
	w.eventually(func() {
		got := 0
		for _, u := range users {
			c, err := tr.Count(w.ctx, u)
			must(err, "count")
			if c.Capped || c.All != c.Active+c.Failed+c.Success {
				fail("counts %+v", c)
			}
			got += c.All
		}
		if got != want {
			fail("%d records are counted, %d were made", got, want)
		}
	})
}
