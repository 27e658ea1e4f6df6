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

// world is the driver, the clock and the tenants of one check.
type world struct {
	ctx      context.Context
	o        Options
	found    *findings
	property string // that the check fails for
	driver   *recorder
	table    *table.Table
	run      string       // part of the tenants' names
	now      atomic.Int64 // the correct time, in Unix milliseconds
	sums     map[string]int
}

func newWorld(d table.Driver, o Options, found *findings, property string) *world {
	w := &world{
		ctx: found.t.Context(), o: o, found: found, property: property, driver: newRecorder(d), run: uuid.NewString()[:18],
		sums: map[string]int{},
	}
	w.table = w.newTable(w.driver)
	w.now.Store(time.Now().UnixMilli())
	return w
}

func (w *world) newTable(d table.Driver) *table.Table {
	t, err := table.New(d, nil)
	w.mustSucceed(err, "new table")
	return t
}

// isShort reports whether the checks should make fewer calls.
func (w *world) isShort() bool { return w.o.Rounds > 0 && w.o.Rounds < defaultRounds }

func (w *world) passTime(d time.Duration) { w.now.Add(d.Milliseconds()) }

// newClock returns a clock that is wrong by skew.
func (w *world) newClock(skew time.Duration) func() time.Time {
	return func() time.Time { return time.UnixMilli(w.now.Load()).Add(skew).UTC() }
}

// newTracker returns a tracker whose clock is wrong by skew.
func (w *world) newTracker(p tracking.Pipeline, skew time.Duration) *tracking.Tracker {
	return w.trackerOn(w.table, p, w.newClock(skew))
}

func (w *world) trackerOn(t *table.Table, p tracking.Pipeline, clock func() time.Time) *tracking.Tracker {
	tr, err := tracking.New(t, p, &tracking.Options{Clock: clock, Review: review})
	w.mustSucceed(err, "new tracker")
	return tr
}

// review is the review window of all trackers.
const review = 2 * time.Hour

// uploadPipeline and documentPipeline are the pipelines of the histories.
func uploadPipeline() tracking.Pipeline { return tracking.Uploads() }

func documentPipeline() tracking.Pipeline {
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

// newUser returns a user of a tenant that only this check uses.
func (w *world) newUser(tenant, user string) scope.Scope {
	s, err := scope.Tenant("T" + w.run + "-" + tenant)
	w.mustSucceed(err, "tenant")
	s, err = s.User(user)
	w.mustSucceed(err, "user")
	return s
}

// newSession returns the user's session number n, created n seconds after
// 2026-03-01 12:00 UTC.
func (w *world) newSession(user scope.Scope, n int) scope.Scope {
	ms := time.Date(2026, 3, 1, 12, 0, n, 0, time.UTC).UnixMilli()
	s, err := user.Session(fmt.Sprintf("%08x-%04x-7000-8000-%012x", ms>>16, ms&0xffff, n))
	w.mustSucceed(err, "session")
	return s
}

func (w *world) newRef(s scope.Scope, name string) object.Ref {
	b, err := object.New(object.NewMemory(), "bucket", nil)
	w.mustSucceed(err, "bucket")
	root, err := b.In(s)
	w.mustSucceed(err, "root")
	r, err := root.Ref(name)
	w.mustSucceed(err, "ref")
	return r
}

// retryUntilLag repeats a check of an index until it holds or the lag has passed.
// It returns the last error.
func (w *world) retryUntilLag(check func() error) error {
	deadline := time.Now().Add(w.o.Lag)
	for {
		err := check()
		if err == nil || !time.Now().Before(deadline) {
			return err
		}
		select {
		case <-w.ctx.Done():
			return w.ctx.Err()
		case <-time.After(w.o.Lag / 50):
		}
	}
}

// readRow returns the record in a row, read through a separate tracker.
func readRow(p tracking.Pipeline, s scope.Scope, row table.Row) (tracking.Record, error) {
	tb, err := table.New(onlyRow{row: row}, nil)
	if err != nil {
		return tracking.Record{}, err
	}
	tr, err := tracking.New(tb, p, nil)
	if err != nil {
		return tracking.Record{}, err
	}
	return tr.Get(context.Background(), s)
}

// onlyRow is a driver that always returns one row and discards writes. Its other
// methods panic.
type onlyRow struct {
	table.Driver
	row table.Row
}

func (d onlyRow) Get(context.Context, table.Key) (table.Row, error) { return d.row.Clone(), nil }

func (d onlyRow) Put(context.Context, table.Key, table.Row, table.Cond) error { return nil }
