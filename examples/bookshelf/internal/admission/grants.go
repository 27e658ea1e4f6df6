package admission

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

const (
	// MaxLimit is the largest limit of [NewGrants].
	MaxLimit = 10_000

	tries  = 4 // slots that a session's id names
	rounds = 8 // reads of all slots, if others take the free ones first
)

// FullError is returned by [Grants.Open] if the user holds as many open grants as allowed.
type FullError struct {
	Limit      int
	RetryAfter time.Duration // time until the first of them expires, at least a second
}

func (e *FullError) Error() string {
	return fmt.Sprintf("admission: %d grants are open: retry after %v", e.Limit, e.RetryAfter)
}

// Grants limits the open grants of each user. It is safe for concurrent use.
type Grants struct {
	table *table.Table
	limit int
}

// NewGrants returns Grants with the given limit per user, 1 to [MaxLimit].
func NewGrants(t *table.Table, limit int) (*Grants, error) {
	if limit < 1 || limit > MaxLimit {
		return nil, fmt.Errorf("admission: invalid limit %d: must be 1 to %d", limit, MaxLimit)
	}
	return &Grants{t, limit}, nil
}

// Open takes a slot for a session's grant until the grant expires. It returns a *[FullError] if none is free. Opening
// a session twice takes two slots.
func (g *Grants) Open(ctx context.Context, session scope.Scope, expires time.Time) error {
	view, err := g.slots(session)
	if err != nil {
		return fmt.Errorf("admission: open: %w", err)
	}
	take := func(n int) (bool, error) {
		item := table.Item{
			Sort: slotName(n), Expires: expires, Attr: map[string]table.Value{"session": session.SessionID()},
		}
		_, err := view.Put(ctx, item, table.Absent())
		if _, taken := errors.AsType[*table.ConflictError](err); taken {
			return false, nil
		}
		return err == nil, err
	}
	if err := g.open(ctx, view, session, take); err != nil {
		return fmt.Errorf("admission: open: %w", err)
	}
	return nil
}

func (g *Grants) open(ctx context.Context, view *table.View, session scope.Scope, take func(int) (bool, error)) error {
	named := g.named(session)
	for _, n := range named {
		if done, err := take(n); done || err != nil {
			return err
		}
	}
	for range rounds {
		taken, err := g.read(ctx, view)
		if err != nil {
			return err
		}
		n, ok := taken.firstFree(named[0], g.limit)
		if !ok {
			return &FullError{g.limit, max(time.Second, time.Until(taken.expires))}
		}
		if done, err := take(n); done || err != nil {
			return err
		}
	}
	return &FullError{g.limit, time.Second} // other calls change the slots faster than this one reads them
}

// Close frees the session's slot. It does nothing if the session does not have one.
func (g *Grants) Close(ctx context.Context, session scope.Scope) error {
	view, err := g.slots(session)
	if err == nil {
		err = g.close(ctx, view, session)
	}
	if err != nil {
		return fmt.Errorf("admission: close: %w", err)
	}
	return nil
}

func (g *Grants) close(ctx context.Context, view *table.View, session scope.Scope) error {
	for _, n := range g.named(session) {
		item, err := view.Get(ctx, slotName(n))
		switch {
		case errors.Is(err, table.ErrNotFound):
		case err != nil:
			return err
		case item.Attr["session"] == session.SessionID():
			return free(ctx, view, item)
		}
	}
	taken, err := g.read(ctx, view)
	if err != nil {
		return err
	}
	if item, ok := taken.items[session.SessionID()]; ok {
		return free(ctx, view, item)
	}
	return nil
}

// free removes a slot if it has not changed since it was read.
func free(ctx context.Context, view *table.View, item table.Item) error {
	err := view.Delete(ctx, item.Sort, table.Version(item.Version))
	if _, changed := errors.AsType[*table.ConflictError](err); changed {
		return nil // freed by another, or expired
	}
	return err
}

// slots returns the items of the session's user. Grants are counted for the user, but an arrival knows only the session.
// Only slots are read or written in the user's partition.
func (g *Grants) slots(session scope.Scope) (*table.View, error) {
	if err := session.Require(scope.SessionLevel); err != nil {
		return nil, err
	}
	if err := session.RequireWrite(); err != nil {
		return nil, err
	}
	tenant, err := scope.Tenant(session.TenantID())
	if err != nil {
		return nil, err
	}
	user, err := tenant.User(session.UserID())
	if err != nil {
		return nil, err
	}
	return g.table.In(user)
}

// named returns the slots that the session's id names, possibly with duplicates.
func (g *Grants) named(session scope.Scope) (slots [tries]int) {
	sum := sha256.Sum256([]byte(session.SessionID()))
	for i := range slots {
		slots[i] = int(binary.BigEndian.Uint64(sum[8*i:]) % uint64(g.limit))
	}
	return slots
}

// taken is a snapshot of a user's slots.
type taken struct {
	names   map[string]bool
	items   map[string]table.Item // by session
	expires time.Time             // of the first to expire
}

// read reads the user's slots: one page for limits up to 1,000.
func (g *Grants) read(ctx context.Context, view *table.View) (taken, error) {
	t := taken{names: make(map[string]bool), items: make(map[string]table.Item)}
	q := table.Query{From: slotName(0), To: slotName(MaxLimit-1) + "~", Consistent: true, Limit: table.MaxLimit}
	for {
		page, err := view.Query(ctx, q)
		if err != nil {
			return taken{}, err
		}
		for _, f := range page.Items {
			session, _ := f.Item.Attr["session"].(string)
			t.names[f.Item.Sort], t.items[session] = true, f.Item
			if t.expires.IsZero() || f.Item.Expires.Before(t.expires) {
				t.expires = f.Item.Expires
			}
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			return t, nil
		}
	}
}

// firstFree returns the first free slot from n on, then from the beginning. It finds none if at least limit slots are
// taken, including those of an earlier, larger limit.
func (t taken) firstFree(n, limit int) (int, bool) {
	for i := range limit {
		if slot := (n + i) % limit; !t.names[slotName(slot)] {
			return slot, len(t.names) < limit
		}
	}
	return 0, false
}

func slotName(n int) string { return fmt.Sprintf("grant#%04d", n) }
