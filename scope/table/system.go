package table

import (
	"context"
	"fmt"
	"time"

	"github.com/carrel-go/carrel/scope"
)

// System is what works across scopes: sweepers, recovery, slots that a whole
// tenant shares. It lists the shards that items are placed in by an [Entry] of
// Level [scope.None], says of each row whose it is, and removes what has
// expired; it reads and writes no item itself, which takes a [View] of the
// item's scope. Whoever answers requests never holds one.
//
// It is immutable and safe for concurrent use.
type System struct{ t *Table }

// NewSystem returns the table's System, for the part of a program that nobody
// outside can ask anything.
func NewSystem(t *Table) *System { return &System{t: t} }

// Query returns a page of the n-th shard of q.Class in the index q.Slot, as
// [View.Query] does of a scope's index. [Found] says whose each item is.
//
// Any writer can place a row of their own here, with any attributes: what is
// listed is where to look, and the item itself is to be read in its scope. A
// row that is stored under no scope is left out, and one that cannot be read
// has no attributes.
func (s *System) Query(ctx context.Context, n int, q Query) (Page, error) {
	if s == nil || s.t == nil {
		return Page{}, fmt.Errorf("%w: a System is made by NewSystem", ErrScope)
	}
	if q.Slot == 0 || n < 0 {
		return Page{}, fmt.Errorf("%w: a System lists shards of an index", ErrQuery)
	}
	if reason := checkClass(q.Class); reason != nil {
		return Page{}, fmt.Errorf("%w: %w", ErrQuery, reason)
	}
	v := &View{t: s.t, partition: scope.Shard(q.Class, n), system: true}
	return v.Query(ctx, q)
}

// checkClass says why a class cannot be an index's, if it cannot.
func checkClass(class string) error {
	anywhere, err := scope.Tenant("any")
	if err != nil {
		return err
	}
	_, err = anywhere.Index(scope.TenantLevel, class)
	return err
}

// Purger is a [Driver] that removes expired rows when it is told to. One whose
// store does that by itself, as DynamoDB does, is none.
type Purger interface {
	// Purge removes up to limit rows, with their index entries, that have
	// expired at now, the oldest first where the store has an order of them,
	// and returns how many it has removed. limit is at least 1.
	Purge(ctx context.Context, now time.Time, limit int) (int, error)
}

// Purge removes up to limit expired items, of all scopes, where the driver is a
// [Purger]; elsewhere it does nothing. It returns how many have been removed;
// fewer than limit: there are no more.
func (s *System) Purge(ctx context.Context, limit int) (int, error) {
	if s == nil || s.t == nil {
		return 0, fmt.Errorf("%w: a System is made by NewSystem", ErrScope)
	}
	if limit < 1 {
		return 0, fmt.Errorf("%w: limit %d, want at least 1", ErrQuery, limit)
	}
	p, ok := s.t.d.(Purger)
	if !ok {
		return 0, nil
	}
	n, err := p.Purge(ctx, time.Now(), limit)
	if err != nil {
		return n, fmt.Errorf("table: purge: %w", err)
	}
	return n, nil
}
