package admission

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// pollTime is how often a waiting run looks whether runs of other processes have left.
const pollTime = time.Second

// Wait waits until the run is first in the queue and a place is free. If ctx ends first, the run keeps its place in the
// queue until Leave or until its lease expires.
func (t *Ticket) Wait(ctx context.Context) error {
	for t.Queued() {
		freed := t.a.watch(t.session.TenantID())
		admitted, err := t.tryRun(ctx)
		if err == nil && !admitted {
			err = t.Renew(ctx)
		}
		switch {
		case errors.Is(err, ErrLost):
			if err := t.enqueue(ctx); err != nil {
				return fmt.Errorf("admission: wait: %w", err)
			}
		case ctx.Err() != nil:
			return fmt.Errorf("admission: wait: %w", context.Cause(ctx))
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

// tryRun takes places to run if it is the run's turn.
func (t *Ticket) tryRun(ctx context.Context) (admitted bool, _ error) {
	running, err := list(ctx, t.tenants.view, slotPrefix)
	if err != nil {
		return false, err
	}
	waiting, err := list(ctx, t.tenants.view, waitPrefix)
	if err != nil {
		return false, err
	}
	held, had := ownedBy(running, t.run)
	if !had && !t.isNext(running, waiting) {
		return false, nil
	}
	user, err := t.takeUser(ctx)
	if err != nil {
		return false, ignoreFull(err)
	}
	if had {
		held, err = extend(ctx, t.tenants.view, held, t.a.o.Lease)
	} else {
		held, _, err = t.tenants.take(ctx, t.run, t.tenantAttr(), t.expires())
	}
	if err != nil {
		return false, errors.Join(ignoreFull(err), free(ctx, t.users.view, user, t.a.o.Lease))
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.user, t.tenant, t.renewed = &user, &held, time.Now()
	if it, ok := ownedBy(waiting, t.run); ok {
		t.waiting = nil
		return true, free(ctx, t.queue.view, it, t.a.o.Lease)
	}
	return true, nil
}

// takeUser takes a place of the user, or extends the one that the run has.
func (t *Ticket) takeUser(ctx context.Context) (place, error) {
	taken, err := list(ctx, t.users.view, slotPrefix)
	if err != nil {
		return place{}, err
	}
	if it, ok := ownedBy(taken, t.run); ok {
		return extend(ctx, t.users.view, it, t.a.o.Lease)
	}
	it, _, err := t.users.take(ctx, t.run, nil, t.expires())
	return it, err
}

func ignoreFull(err error) error {
	if errors.Is(err, errFull) || errors.Is(err, ErrLost) {
		return nil
	}
	return err
}

// isNext reports whether a place is free for the run after all runs that entered the queue before it.
func (t *Ticket) isNext(running, waiting []place) bool {
	users := make(map[any]int)
	for _, it := range running {
		users[it.Attr[userAttr]]++
	}
	free := t.tenants.limit - len(running)
	slices.SortFunc(waiting, func(a, b place) int {
		return cmp.Or(sinceOf(a).Compare(sinceOf(b)), cmp.Compare(fmt.Sprint(a.Attr[ownerAttr]), fmt.Sprint(b.Attr[ownerAttr])))
	})
	for _, it := range waiting {
		if it.Attr[ownerAttr] == t.run {
			break
		}
		if user := it.Attr[userAttr]; users[user] < t.users.limit && free > 0 {
			users[user]++
			free--
		}
	}
	return free > 0 && users[t.session.UserID()] < t.users.limit
}

// watch returns a channel that is closed when a run of the tenant leaves in this process.
func (a *Admission) watch(tenant string) <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	c, ok := a.freed[tenant]
	if !ok {
		c = make(chan struct{})
		a.freed[tenant] = c
	}
	return c
}

// announce wakes the waiting runs of the tenant in this process.
func (a *Admission) announce(tenant string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if c, ok := a.freed[tenant]; ok {
		close(c)
		delete(a.freed, tenant)
	}
}
