package admission

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"time"

	"github.com/carrel-go/carrel/internal/sleep"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

const (
	usedAttr     = "used"     // tokens of settled turns
	reservedAttr = "reserved" // by turn: its tokens and when the reservation expires, in seconds
	countAttr    = "tokens"
	untilAttr    = "until"
)

// maxConflicts is how often a change of a budget is repeated if other runs change it first.
const maxConflicts = 50

// Reserve takes the estimated tokens of one turn from the budget of the session's tenant, until it is settled or until
// expires. turn identifies the turn within the session, for example by run and number. Reserving the same turn again
// replaces its reservation.
//
// It returns a *[FullError] if the rest of the budget is smaller, and [ErrInvalid] unless expires is in the future.
// Without a budget it does nothing.
//
// It costs a read and a write.
func (a *Admission) Reserve(
	ctx context.Context, session scope.Scope, turn string, tokens int64, expires time.Time,
) error {
	if a.o.Tokens == 0 {
		return nil
	}
	if turn == "" || tokens < 0 {
		return fmt.Errorf("admission: reserve: %w: turn %q, %d tokens", ErrInvalid, turn, tokens)
	}
	if err := checkExpiry(expires); err != nil {
		return fmt.Errorf("admission: reserve: %w", err)
	}
	now, key := time.Now(), turnKey(session, turn)
	err := a.changeBudget(ctx, session, a.periodStart(now), func(b *budget) error {
		delete(b.reserved, key)
		reserved, next := b.sumReserved(now)
		if tokens > a.o.Tokens-b.used-reserved {
			retry := a.periodStart(now).Add(a.o.Period).Sub(now)
			if tokens <= a.o.Tokens-b.used { // a reservation is in the way
				retry = min(retry, next.Sub(now))
			}
			return &FullError{"tokens", a.o.Tokens, max(retry, time.Second)}
		}
		b.reserved[key] = map[string]table.Value{countAttr: tokens, untilAttr: expires.Unix()}
		return nil
	})
	if full, ok := errors.AsType[*FullError](err); ok {
		return full
	}
	if err != nil {
		return fmt.Errorf("admission: reserve: %w", err)
	}
	return nil
}

// turnKey returns the name of a turn in its tenant's budget.
func turnKey(session scope.Scope, turn string) string { return session.SessionID() + "/" + turn }

// Settle replaces the reservation of a turn with the tokens that it used, also if they are more. They count in the
// period in which the turn was reserved. It does nothing without a budget.
//
// A reservation that is not settled frees its tokens when it expires. An hour later, or at once while the tenant has
// more than 1,000 reservations, it is settled at its estimate, so that no turn escapes the budget. Settle does nothing,
// and returns no error, if the turn is settled or its period was followed by two others. It may be repeated.
func (a *Admission) Settle(ctx context.Context, session scope.Scope, turn string, used int64) error {
	if a.o.Tokens == 0 {
		return nil
	}
	if turn == "" || used < 0 {
		return fmt.Errorf("admission: settle: %w: turn %q, %d tokens", ErrInvalid, turn, used)
	}
	now, key := time.Now(), turnKey(session, turn)
	period := a.periodStart(now)
	for _, period := range []time.Time{period, period.Add(-a.o.Period)} { // the turn may have begun in the last one
		err := a.changeBudget(ctx, session, period, func(b *budget) error {
			if _, ok := b.reserved[key]; !ok {
				return errUnreserved
			}
			b.settleTurn(key, used)
			return nil
		})
		if !errors.Is(err, errUnreserved) {
			if err != nil {
				return fmt.Errorf("admission: settle: %w", err)
			}
			return nil
		}
	}
	return nil
}

var errUnreserved = errors.New("the turn is not reserved")

// periodStart returns the start of the period that contains t.
func (a *Admission) periodStart(t time.Time) time.Time {
	return time.Unix(0, t.UnixNano()-t.UnixNano()%int64(a.o.Period))
}

// budget is the content of a budget's item.
type budget struct {
	used     int64
	reserved map[string]table.Value
}

// lateTime is how long a reservation is kept after it has expired, so that a late Settle counts the real tokens.
const lateTime = time.Hour

// maxLate is the number of reservations above which none is kept after it has expired, so that they fit an item.
const maxLate = 1000

// sumReserved returns the reserved tokens and when the first reservation expires. It settles reservations that expired
// long ago at their estimates, and does not count others that have expired.
func (b *budget) sumReserved(now time.Time) (tokens int64, next time.Time) {
	for turn, v := range b.reserved {
		r, _ := v.(map[string]table.Value)
		count, _ := r[countAttr].(int64)
		unix, _ := r[untilAttr].(int64)
		until := time.Unix(unix, 0)
		if until.Before(now) {
			if until.Add(lateTime).Before(now) || len(b.reserved) > maxLate {
				b.settleTurn(turn, count)
			}
			continue
		}
		if tokens += count; next.IsZero() || until.Before(next) {
			next = until
		}
	}
	return tokens, next
}

// settleTurn replaces the reservation of a turn with the tokens that it used.
func (b *budget) settleTurn(turn string, used int64) {
	delete(b.reserved, turn)
	b.used += min(used, math.MaxInt64-b.used)
}

// changeBudget reads the budget of a period, applies f and writes the result, until no other run changes it in between.
func (a *Admission) changeBudget(
	ctx context.Context, session scope.Scope, period time.Time, f func(*budget) error,
) error {
	view, err := a.openView(session, scope.TenantLevel)
	if err != nil {
		return err
	}
	it, err := view.Get(ctx, fmt.Sprintf("budget#%019d", period.UnixNano()))
	switch {
	case errors.Is(err, table.ErrNotFound):
		it = table.Item{Sort: fmt.Sprintf("budget#%019d", period.UnixNano()), Expires: period.Add(3 * a.o.Period)}
	case err != nil:
		return err
	}
	for try := range maxConflicts {
		b := budget{reserved: make(map[string]table.Value)}
		b.used, _ = it.Attr[usedAttr].(int64)
		if stored, ok := it.Attr[reservedAttr].(map[string]table.Value); ok {
			maps.Copy(b.reserved, stored)
		}
		if err := f(&b); err != nil {
			return err
		}
		cond := table.Absent()
		if it.Version > 0 {
			cond = table.Version(it.Version)
		}
		it.Attr = map[string]table.Value{usedAttr: b.used, reservedAttr: b.reserved}
		_, err := view.Put(ctx, it, cond)
		conflict, ok := errors.AsType[*table.ConflictError](err)
		if !ok {
			return err
		}
		if conflict.Current == nil {
			it.Version = 0
		} else {
			it = *conflict.Current
		}
		wait := rand.N(time.Millisecond << min(try, 6)) //nolint:gosec // spreads load; not a secret
		if err := sleep.For(ctx, wait); err != nil {
			return err
		}
	}
	return fmt.Errorf("%w: too many concurrent changes", table.ErrBusy)
}
