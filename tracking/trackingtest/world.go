package trackingtest

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tracking"
)

// world is a driver, a clock, and tenants of its own for one check.
type world struct {
	ctx    context.Context
	o      Options
	found  *failures
	driver *recorder
	table  *table.Table
	run    string       // in the names of the tenants
	now    atomic.Int64 // Unix milliseconds, by a clock that is right
	sums   map[string]int
}

func newWorld(ctx context.Context, d table.Driver, o Options, all *failures) *world {
	w := &world{ctx: ctx, o: o, found: all, driver: newRecorder(d), run: uuid.NewString()[:18], sums: map[string]int{}}
	w.table = table.New(w.driver, nil)
	w.now.Store(time.Now().UnixMilli())
	return w
}

// short reports whether less is wanted than there is.
func (w *world) short() bool { return w.o.Rounds > 0 && w.o.Rounds < defaultRounds }

func (w *world) pass(d time.Duration) { w.now.Add(d.Milliseconds()) }

// clock returns one that is wrong by skew.
func (w *world) clock(skew time.Duration) func() time.Time {
	return func() time.Time { return time.UnixMilli(w.now.Load()).Add(skew).UTC() }
}

// tracker returns one whose clock is wrong by skew.
func (w *world) tracker(p tracking.Pipeline, skew time.Duration) *tracking.Tracker {
	return trackerOn(w.table, p, w.clock(skew))
}

func trackerOn(t *table.Table, p tracking.Pipeline, clock func() time.Time) *tracking.Tracker {
	tr, err := tracking.New(t, p, &tracking.Options{Clock: clock, Review: review})
	must(err, "new tracker")
	return tr
}

// review is how long a record may wait for somebody.
const review = 2 * time.Hour

// uploads and refined are the pipelines of the histories: the one that there
// is, and a finer one.
func uploads() tracking.Pipeline { return tracking.Uploads() }

func refined() tracking.Pipeline {
	const upload, analysed, processed = "user_upload", "analysed", "processed"
	return tracking.Pipeline{Name: "documents", Stages: []tracking.StageSpec{
		{Stage: upload, External: true},
		{Stage: analysed, After: []tracking.Stage{upload}, MaxAttempts: 3, Lease: 20 * time.Second, Due: 5 * time.Minute},
		{Stage: "scanned", Optional: true, MaxAttempts: 2},
		{Stage: processed, After: []tracking.Stage{analysed}, MaxAttempts: 3, Lease: 40 * time.Second, Due: 10 * time.Minute},
		{Stage: "embedding", After: []tracking.Stage{processed}, MaxAttempts: 2},
	}}
}

const upload tracking.Stage = "user_upload" // External, in both

// user returns a user of the world's own; the tenant's name is made of name.
func (w *world) user(tenant, user string) scope.Scope {
	s, err := scope.Tenant("T" + w.run + "-" + tenant)
	must(err, "tenant")
	s, err = s.User(user)
	must(err, "user")
	return s
}

// session returns the user's session number n: made n seconds after noon of
// the first of March 2026.
func session(user scope.Scope, n int) scope.Scope {
	ms := time.Date(2026, 3, 1, 12, 0, n, 0, time.UTC).UnixMilli()
	s, err := user.Session(fmt.Sprintf("%08x-%04x-7000-8000-%012x", ms>>16, ms&0xffff, n))
	must(err, "session")
	return s
}

// ref returns a Ref in the session.
func ref(s scope.Scope, name string) object.Ref {
	root, err := object.New(object.NewMemory(), "bucket", nil).In(s)
	must(err, "root")
	r, err := root.Ref(name)
	must(err, "ref")
	return r
}

// eventually runs a check of an index until it holds or the lag is over.
func (w *world) eventually(check func()) {
	over := time.Now().Add(w.o.Lag)
	for {
		err := try(check)
		if err == nil {
			return
		}
		if !time.Now().Before(over) {
			panic(failed{err})
		}
		select {
		case <-w.ctx.Done():
			panic(failed{w.ctx.Err()})
		case <-time.After(w.o.Lag / 50):
		}
	}
}

// read returns the record in a row, by a tracker that sees nothing else.
func read(p tracking.Pipeline, s scope.Scope, row table.Row) (tracking.Record, error) {
	tr := trackerOn(table.New(onlyRow{row: row}, nil), p, nil)
	return tr.Get(context.Background(), s)
}

// onlyRow is a driver that holds one row, whatever is put. Whatever else is
// asked of it is a mistake of this package, and a nil dereference.
type onlyRow struct {
	table.Driver
	row table.Row
}

func (d onlyRow) Get(context.Context, table.Key) (table.Row, error) { return d.row.Clone(), nil }

func (d onlyRow) Put(context.Context, table.Key, table.Row, table.Cond) error { return nil }
