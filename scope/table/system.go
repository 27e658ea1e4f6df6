package table

import (
	"context"
	"fmt"
	"time"

	"github.com/carrel-go/carrel/scope"
)

// System works across scopes, for sweepers and recovery. It lists the items that an
// [Entry] with Level [scope.None] placed in a shard, with the scope of each, and
// removes expired items. To read or write an item, open a [View] of its scope. Request
// handlers must not hold a System.
//
// It is immutable and safe for concurrent use.
type System struct{ t *Table }

// System returns the table's System, which works across scopes.
func (t *Table) System() *System { return &System{t: t} }

// Query returns a page of shard n of q.Class in the index q.Slot, as [View.Query] does
// for an index of a scope.
//
// Every writer may be able to place its own items here, with any attributes. Trust
// only the scope and sort key of a listed item, and read the item in its scope. An item
// that cannot be read is listed without attributes.
func (s *System) Query(ctx context.Context, n int, q Query) (Page, error) {
	if s == nil || s.t == nil {
		return Page{}, newDeniedError("the System was not made by Table.System")
	}
	if q.Slot == 0 || n < 0 {
		return Page{}, fmt.Errorf("%w: slot %d, shard %d: a System needs an index slot and a shard from 0", errQuery, q.Slot,
			n)
	}
	if err := checkClass(q.Class); err != nil {
		return Page{}, fmt.Errorf("%w: %w", errQuery, err)
	}
	v := &View{t: s.t, partition: scope.Shard(q.Class, n), system: true}
	return v.Query(ctx, q)
}

// checkClass returns an error if class is not a valid class of an index.
func checkClass(class string) error {
	s, err := scope.Tenant("any")
	if err != nil {
		return err
	}
	_, err = s.Index(scope.TenantLevel, class)
	return err
}

// Purger is implemented by a [Driver] whose store does not remove expired rows by itself,
// unlike DynamoDB.
type Purger interface {
	// Purge removes up to limit rows that have expired at now, with their index
	// entries, and returns their number. It removes the oldest first if the store
	// orders rows by expiry. limit is at least 1.
	Purge(ctx context.Context, now time.Time, limit int) (int, error)
}

// Purge removes up to limit expired items of all scopes and returns their number. If
// that is less than limit, no more items have expired. Purge does nothing if the driver
// is not a [Purger].
func (s *System) Purge(ctx context.Context, limit int) (int, error) {
	if s == nil || s.t == nil {
		return 0, newDeniedError("the System was not made by Table.System")
	}
	if limit < 1 {
		return 0, fmt.Errorf("%w: purge limit %d: must be at least 1", ErrInvalid, limit)
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
