package admission

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

const (
	slotPrefix = "slot#"
	waitPrefix = "wait#"

	userAttr  = "user"  // of a tenant's place: whose run holds it
	sinceAttr = "since" // of a place in the queue: when the run entered, in nanoseconds
)

// Ticket is the place of a run: to run, or in the queue. It is safe for concurrent use. Its methods read and write the
// table one after another, each for as long as its context lasts.
type Ticket struct {
	a       *Admission
	session scope.Scope
	owner   string // of its places: the session and the run
	users   pool   // places to run, of the user
	tenants pool   // and of the tenant
	queue   pool

	queued atomic.Bool
	table  chan struct{} // has a value while a method uses the table and the fields below

	user, tenant *place // both or neither
	waiting      *place
	renewed      time.Time
}

// lockTable waits until no other method uses the table.
func (t *Ticket) lockTable(ctx context.Context) error {
	select {
	case t.table <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (t *Ticket) unlockTable() { <-t.table }

// Enter takes a place for a run of the session: to run if one is free and no earlier run waits for it, otherwise in the
// queue. run identifies the run within the session. A run that has a place already, taken by this process or by another
// one, gets the same. Enter returns a *[FullError] if the queue is full.
//
// It costs three reads and at most two writes, and more if other runs enter at the same time.
func (a *Admission) Enter(ctx context.Context, session scope.Scope, run string) (*Ticket, error) {
	t, err := a.enter(ctx, session, run)
	if full, ok := errors.AsType[*FullError](err); ok {
		return nil, full
	}
	if err != nil {
		return nil, fmt.Errorf("admission: enter: %w", err)
	}
	return t, nil
}

func (a *Admission) enter(ctx context.Context, session scope.Scope, run string) (*Ticket, error) {
	if run == "" {
		return nil, fmt.Errorf("%w: the run must not be empty", ErrInvalid)
	}
	user, err := a.openView(session, scope.UserLevel)
	if err != nil {
		return nil, err
	}
	tenant, err := a.openView(session, scope.TenantLevel)
	if err != nil {
		return nil, err
	}
	t := &Ticket{
		a: a, session: session, owner: session.SessionID() + "/" + run,
		users:   pool{user, slotPrefix, a.o.UserRuns},
		tenants: pool{tenant, slotPrefix, a.o.TenantRuns},
		queue:   pool{tenant, waitPrefix, a.o.Queue},
		table:   make(chan struct{}, 1),
	}
	t.queued.Store(true)
	admitted, err := t.tryRun(ctx)
	if err != nil || admitted {
		return t, err
	}
	return t, t.enqueue(ctx)
}

// enqueue takes a place in the queue.
func (t *Ticket) enqueue(ctx context.Context) error {
	waiting, err := listPlaces(ctx, t.queue.view, waitPrefix)
	if err != nil {
		return err
	}
	it, ok := findOwned(waiting, t.owner)
	if ok {
		it, err = extendLease(ctx, t.queue.view, it, t.a.o.Lease)
	} else {
		attr := map[string]table.Value{userAttr: t.session.UserID(), sinceAttr: time.Now().UnixNano()}
		it, waiting, err = t.queue.takeFree(ctx, waiting, t.owner, attr, t.expires())
	}
	if errors.Is(err, errFull) {
		oldest := time.Now()
		for _, w := range waiting {
			if since := sinceOf(w); since.Before(oldest) {
				oldest = since
			}
		}
		retry := min(max(time.Since(oldest), 5*time.Second), 5*time.Minute)
		return &FullError{"queued runs", int64(t.queue.limit), retry}
	}
	if err != nil {
		return err
	}
	t.waiting, t.renewed = &it, time.Now()
	return nil
}

// Queued reports whether the run must wait.
func (t *Ticket) Queued() bool { return t.queued.Load() }

// Renew keeps the run's places for another lease. A caller may call it often: it writes only after a third of the
// lease. It returns [ErrLost] if the places have expired and cannot be taken again.
func (t *Ticket) Renew(ctx context.Context) error {
	err := t.lockTable(ctx)
	if err == nil {
		err = t.renewPlaces(ctx)
		t.unlockTable()
	}
	if err != nil {
		return fmt.Errorf("admission: renew: %w", err)
	}
	return nil
}

func (t *Ticket) renewPlaces(ctx context.Context) error {
	if time.Since(t.renewed) < t.a.o.Lease/3 {
		return nil
	}
	for _, p := range []struct {
		pool pool
		held **place
		attr map[string]table.Value
	}{
		{t.users, &t.user, nil}, {t.tenants, &t.tenant, t.tenantAttr()}, {t.queue, &t.waiting, nil},
	} {
		if *p.held == nil {
			continue
		}
		it, err := extendLease(ctx, p.pool.view, **p.held, t.a.o.Lease)
		if errors.Is(err, ErrLost) && p.held != &t.waiting { // it was free for a while
			it, _, err = p.pool.takePlace(ctx, t.owner, p.attr, t.expires())
		}
		if errors.Is(err, errFull) {
			err = ErrLost
		}
		if err != nil {
			return err
		}
		*p.held = &it
	}
	t.renewed = time.Now()
	return nil
}

// Leave frees the run's places. It may be called more than once. If ctx has ended, the places stay until their lease
// expires, so pass [context.WithoutCancel] of a request's context. The Ticket must not be used after it.
func (t *Ticket) Leave(ctx context.Context) error {
	if err := t.lockTable(ctx); err != nil {
		return fmt.Errorf("admission: leave: %w", err)
	}
	defer t.unlockTable()
	places := []struct {
		view *table.View
		held **place
	}{{t.tenants.view, &t.tenant}, {t.users.view, &t.user}, {t.queue.view, &t.waiting}}
	errs := make([]error, len(places))
	var all sync.WaitGroup
	for i, p := range places { // at the same time: a table may store all at once
		if *p.held == nil {
			continue
		}
		all.Go(func() {
			if errs[i] = freePlace(ctx, p.view, **p.held); errs[i] == nil {
				*p.held = nil
			}
		})
	}
	all.Wait()
	t.a.announceFreed(t.session.TenantID())
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("admission: leave: %w", err)
	}
	return nil
}

func (t *Ticket) expires() time.Time { return time.Now().Add(t.a.o.Lease) }

func (t *Ticket) tenantAttr() map[string]table.Value {
	return map[string]table.Value{userAttr: t.session.UserID()}
}

func sinceOf(it place) time.Time {
	n, _ := it.Attr[sinceAttr].(int64)
	return time.Unix(0, n)
}
