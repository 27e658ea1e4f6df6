package trackingtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tracking"
)

// op is one call of a tracker or an attempt, with its effects on the driver.
type op struct {
	name    string
	session scope.Scope
	stage   tracking.Stage
	fence   int64 // of the attempt whose operation it is, or 0

	rows   int // stored by the call; guarded by the recorder's lock, like faults
	faults int // injected into the call
}

type opKey struct{}

func (o *op) inContext(ctx context.Context) context.Context {
	return context.WithValue(ctx, opKey{}, o)
}

func opOf(ctx context.Context) *op {
	o, _ := ctx.Value(opKey{}).(*op)
	if o == nil {
		o = &op{name: "check"}
	}
	return o
}

// written is a stored row, with the call that stored it.
type written struct {
	row table.Row
	by  *op
}

// errCut is the error of a lost write or a lost answer.
var errCut = errors.New("trackingtest: connection cut")

// recorder wraps the driver under test. It records every stored row, and loses
// writes and answers.
type recorder struct {
	table.Driver
	gate gate

	mu      sync.Mutex
	history map[string][]written // by partition
	keys    map[string]table.Key
	shards  map[string]table.Key // of the due index that were queried

	// fault, if not nil, is called for every Put, under the lock. It reports
	// whether the write is lost before it is stored, or its answer after that.
	fault func() (before, after bool)
	// amend, if not nil, changes rows before they are stored.
	amend func(*table.Row)
}

func newRecorder(d table.Driver) *recorder {
	return &recorder{Driver: d, history: map[string][]written{}, keys: map[string]table.Key{},
		shards: map[string]table.Key{}}
}

func (d *recorder) Get(ctx context.Context, k table.Key) (table.Row, error) {
	d.gate.waitTurn(ctx)
	return d.Driver.Get(ctx, k)
}

func (d *recorder) Query(ctx context.Context, q table.DriverQuery) (table.DriverPage, error) {
	d.gate.waitTurn(ctx)
	if q.Slot == table.I3 {
		d.mu.Lock()
		d.shards[q.Key.Partition()] = q.Key
		d.mu.Unlock()
	}
	return d.Driver.Query(ctx, q)
}

func (d *recorder) Put(ctx context.Context, k table.Key, r table.Row, c table.Cond) error {
	d.gate.waitTurn(ctx)
	by := opOf(ctx)
	d.mu.Lock()
	before, after := false, false
	if d.fault != nil {
		before, after = d.fault()
	}
	if before || after {
		by.faults++
	}
	if d.amend != nil {
		r = r.Clone()
		d.amend(&r)
	}
	d.keys[k.Partition()] = k
	d.mu.Unlock()
	if before {
		return errCut
	}
	kept := r.Clone()
	err := d.Driver.Put(ctx, k, r, c)
	if err == nil {
		d.mu.Lock()
		by.rows++
		d.history[k.Partition()] = append(d.history[k.Partition()], written{kept, by})
		d.mu.Unlock()
	}
	if after {
		return errCut
	}
	return err
}

// rowsOf returns the rows of a session in the order of their versions.
func (d *recorder) rowsOf(s scope.Scope) []written {
	d.mu.Lock()
	defer d.mu.Unlock()
	rows := slices.Clone(d.history[s.Partition()])
	slices.SortStableFunc(rows, func(a, b written) int { return cmp.Compare(a.row.Version, b.row.Version) })
	return rows
}

func (d *recorder) countRows(s scope.Scope) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.history[s.Partition()])
}

// cleanUp deletes all stored rows.
func (d *recorder) cleanUp(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, k := range d.keys {
		r, err := d.Driver.Get(ctx, k)
		if err == nil {
			err = d.Delete(ctx, k, table.Version(r.Version))
		}
		if err != nil && !errors.Is(err, table.ErrNotFound) {
			return fmt.Errorf("clean up: %w", err)
		}
	}
	return nil
}
