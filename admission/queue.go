package admission

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

// pollTime is how often a waiting run looks whether runs of other processes have left.
const pollTime = time.Second

// Wait waits until the run is first in the queue and a place is free. It repeats operations of the table that fail for
// up to [Options].Lease, and returns errors that no repetition helps against, such as [scope.ErrDenied], at once. If
// the run's place in the queue has expired, it enters the queue again, and returns a *[FullError] if that is full.
//
// If ctx ends first, Wait returns its cause and the last error of the table. The run keeps its place in the queue until
// Leave or until its lease expires.
func (t *Ticket) Wait(ctx context.Context) error {
	var last error
	succeeded := time.Now()
	for t.Queued() {
		freed := t.a.watchPlaces(t.session.TenantID())
		admitted, err := t.advance(ctx)
		if full, ok := errors.AsType[*FullError](err); ok {
			return full
		}
		if ctx.Err() != nil {
			return fmt.Errorf("admission: wait: %w", errors.Join(context.Cause(ctx), last))
		}
		if errors.Is(err, scope.ErrDenied) || errors.Is(err, table.ErrInvalid) || errors.Is(err, table.ErrTooLarge) {
			return fmt.Errorf("admission: wait: %w", err)
		}
		if last = err; err == nil {
			succeeded = time.Now()
		} else if time.Since(succeeded) > t.a.o.Lease {
			return fmt.Errorf("admission: wait: %w", err)
		}
		if admitted {
			return nil
		}
		poll := time.NewTimer(pollTime/2 + rand.N(pollTime)) //nolint:gosec // spreads load; not a secret
		select {
		case <-freed:
		case <-poll.C:
		case <-ctx.Done():
		}
		poll.Stop()
	}
	return nil
}

// advance takes places to run if it is the run's turn, and otherwise keeps the run in the queue.
func (t *Ticket) advance(ctx context.Context) (admitted bool, _ error) {
	if err := t.lockTable(ctx); err != nil {
		return false, err
	}
	defer t.unlockTable()
	admitted, err := t.tryRun(ctx)
	if err == nil && !admitted {
		err = t.renewPlaces(ctx)
	}
	if errors.Is(err, ErrLost) {
		err = t.enqueue(ctx)
	}
	return admitted, err
}

// tryRun takes places to run if it is the run's turn.
func (t *Ticket) tryRun(ctx context.Context) (admitted bool, _ error) {
	slots, err := listPlaces(ctx, t.tenants.view, slotPrefix)
	if err != nil {
		return false, err
	}
	waiting, err := listPlaces(ctx, t.tenants.view, waitPrefix)
	if err != nil {
		return false, err
	}
	held, running := findOwned(slots, t.owner)
	if !running && !t.isNext(slots, waiting) {
		return false, nil
	}
	var user, tenant place
	if running {
		user, tenant, err = t.keepPlaces(ctx, held)
	} else {
		user, tenant, err = t.takePlaces(ctx, slots)
	}
	if err != nil {
		return false, ignoreFull(err)
	}
	t.queued.Store(false)
	t.user, t.tenant, t.waiting, t.renewed = &user, &tenant, nil, time.Now()
	if it, ok := findOwned(waiting, t.owner); ok {
		_ = freePlace(ctx, t.queue.view, it) // otherwise it expires, and isNext does not count it
	}
	return true, nil
}

// keepPlaces extends the place of the tenant that the run has, and takes one of the user or extends that as well.
func (t *Ticket) keepPlaces(ctx context.Context, held place) (user, tenant place, err error) {
	if user, err = t.takeUser(ctx); err != nil {
		return user, tenant, err
	}
	if tenant, err = extendLease(ctx, t.tenants.view, held, t.a.o.Lease); err != nil {
		err = cmp.Or(errors.Join(ignoreFull(err), freePlace(ctx, t.users.view, user)), err)
	}
	return user, tenant, err
}

// takePlaces takes a place of the user and one of the tenant, whose slots are given. It takes both at the same time,
// since a table may store them together. If it gets only one of them, it frees that one.
func (t *Ticket) takePlaces(ctx context.Context, slots []place) (user, tenant place, err error) {
	var userErr, tenantErr error
	var both sync.WaitGroup
	both.Go(func() { user, userErr = t.takeUser(ctx) })
	tenant, _, tenantErr = t.tenants.takeFree(ctx, slots, t.owner, t.tenantAttr(), t.expires())
	both.Wait()
	switch {
	case userErr == nil && tenantErr != nil:
		err = freePlace(ctx, t.users.view, user)
	case userErr != nil && tenantErr == nil:
		err = freePlace(ctx, t.tenants.view, tenant)
	}
	err = errors.Join(ignoreFull(userErr), ignoreFull(tenantErr), err)
	return user, tenant, cmp.Or(err, userErr, tenantErr)
}

// takeUser takes a place of the user, or extends the one that the run has.
func (t *Ticket) takeUser(ctx context.Context) (place, error) {
	taken, err := listPlaces(ctx, t.users.view, slotPrefix)
	if err != nil {
		return place{}, err
	}
	if it, ok := findOwned(taken, t.owner); ok {
		return extendLease(ctx, t.users.view, it, t.a.o.Lease)
	}
	it, _, err := t.users.takeFree(ctx, taken, t.owner, nil, t.expires())
	return it, err
}

func ignoreFull(err error) error {
	if errors.Is(err, errFull) || errors.Is(err, ErrLost) {
		return nil
	}
	return err
}

// isNext reports whether a place is free for the run after all runs that entered the queue before it.
func (t *Ticket) isNext(slots, waiting []place) bool {
	users, running := make(map[any]int), make(map[any]bool)
	for _, it := range slots {
		users[it.Attr[userAttr]]++
		running[it.Attr[ownerAttr]] = true
	}
	free := t.tenants.limit - len(slots)
	slices.SortFunc(waiting, func(a, b place) int {
		byOwner := cmp.Compare(fmt.Sprint(a.Attr[ownerAttr]), fmt.Sprint(b.Attr[ownerAttr]))
		return cmp.Or(sinceOf(a).Compare(sinceOf(b)), byOwner)
	})
	for _, it := range waiting {
		if it.Attr[ownerAttr] == t.owner {
			break
		}
		if running[it.Attr[ownerAttr]] { // it was admitted, but its place in the queue could not be freed
			continue
		}
		if user := it.Attr[userAttr]; users[user] < t.users.limit && free > 0 {
			users[user]++
			free--
		}
	}
	return free > 0 && users[t.session.UserID()] < t.users.limit
}

// watchPlaces returns a channel that is closed when a run of the tenant leaves in this process.
func (a *Admission) watchPlaces(tenant string) <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	c, ok := a.freed[tenant]
	if !ok {
		c = make(chan struct{})
		a.freed[tenant] = c
	}
	return c
}

// announceFreed wakes the waiting runs of the tenant in this process.
func (a *Admission) announceFreed(tenant string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if c, ok := a.freed[tenant]; ok {
		close(c)
		delete(a.freed, tenant)
	}
}
