package tracking

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/scope/table/bolt"
)

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func userOf(t testing.TB, tenant, user string) scope.Scope {
	t.Helper()
	s, err := scope.Tenant(tenant)
	require.NoError(t, err)
	s, err = s.User(user)
	require.NoError(t, err)
	return s
}

// sessionOf returns the user's session number n, created n seconds after epoch.
func sessionOf(t testing.TB, user scope.Scope, n int) scope.Scope {
	t.Helper()
	ms := epoch.Add(time.Duration(n) * time.Second).UnixMilli()
	s, err := user.Session(fmt.Sprintf("%08x-%04x-7000-8000-%012x", ms>>16, ms&0xffff, n))
	require.NoError(t, err)
	return s
}

func refIn(t testing.TB, bucket string, s scope.Scope, name string) object.Ref {
	t.Helper()
	root, err := must.Get(object.New(object.NewMemory(), bucket, nil)).In(s)
	require.NoError(t, err)
	ref, err := root.Ref(name)
	require.NoError(t, err)
	return ref
}

// driver counts and records the calls of a table, and can fail.
type driver struct {
	table.Driver
	mu                 sync.Mutex
	gets, puts, querys int
	written            []table.Row // every row that was stored, in order

	// fault, if not nil, decides at every Put. before: nothing is stored. after:
	// the row is stored, and the answer is lost.
	fault func() (before, after bool)

	// asked, if not nil, receives the number of each Query since the last takeCalls.
	asked func(n int)
}

var errCut = errors.New("connection cut")

func (d *driver) Get(ctx context.Context, k table.Key) (table.Row, error) {
	d.mu.Lock()
	d.gets++
	d.mu.Unlock()
	return d.Driver.Get(ctx, k)
}

func (d *driver) Put(ctx context.Context, k table.Key, r table.Row, c table.Cond) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.puts++
	before, after := false, false
	if d.fault != nil {
		before, after = d.fault()
	}
	if before {
		return errCut
	}
	err := d.Driver.Put(ctx, k, r, c)
	if err == nil {
		d.written = append(d.written, r.Clone())
	}
	if after {
		return errCut
	}
	return err
}

func (d *driver) Query(ctx context.Context, q table.DriverQuery) (table.DriverPage, error) {
	d.mu.Lock()
	d.querys++
	n := d.querys
	d.mu.Unlock()
	if d.asked != nil {
		d.asked(n)
	}
	return d.Driver.Query(ctx, q)
}

// takeCalls returns the numbers of reads, writes and queries since it was last called.
func (d *driver) takeCalls() [3]int {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := [3]int{d.gets, d.puts, d.querys}
	d.gets, d.puts, d.querys = 0, 0, 0
	return c
}

// bundle is a tracker of Uploads over a counting driver, and a session.
type bundle struct {
	*Tracker
	driver  *driver
	table   *table.Table
	user    scope.Scope
	session scope.Scope
	planted int // rows, by plantRows
}

func newBundle(t testing.TB, d table.Driver) *bundle {
	t.Helper()
	if d == nil {
		d = table.NewMemory(nil)
	}
	b := &bundle{driver: &driver{Driver: d}, user: userOf(t, "acme", "u1")}
	b.table = must.Get(table.New(b.driver, nil))
	b.session = sessionOf(t, b.user, 1)
	var err error
	b.Tracker, err = New(b.table, Uploads(), nil)
	require.NoError(t, err)
	return b
}

func openBolt(t testing.TB) table.Driver {
	t.Helper()
	d, err := bolt.Open(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

// createArrived creates the record of a session whose upload has arrived.
func (b *bundle) createArrived(t testing.TB) Record {
	t.Helper()
	_, err := b.Create(t.Context(), b.session, &CreateOptions{Filename: "cover.jpg"})
	require.NoError(t, err)
	r, err := b.Observe(t.Context(), b.session, Observation{Stage: UserUpload})
	require.NoError(t, err)
	return r
}

func (b *bundle) claimStage(t testing.TB, key string) *Attempt {
	t.Helper()
	a, err := b.Claim(t.Context(), b.session, Enrichment, &ClaimOptions{Key: key})
	require.NoError(t, err)
	return a
}

func (b *bundle) getRecord(t testing.TB) Record {
	t.Helper()
	r, err := b.Get(t.Context(), b.session)
	require.NoError(t, err)
	return r
}

func (b *bundle) recordAt(t testing.TB, session scope.Scope) Record {
	t.Helper()
	r, err := b.Get(t.Context(), session)
	require.NoError(t, err)
	return r
}

// stateOf requires a *StateError of the sentinel, and returns it.
func stateOf(t testing.TB, err, sentinel error) StateError {
	t.Helper()
	require.ErrorIs(t, err, sentinel)
	var s *StateError
	require.ErrorAs(t, err, &s)
	return *s
}
