package admission

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/carrel-go/carrel/scope"
)

// Fair limits expensive work within one process, such as the memory of images that are decoded, and serves tenants in
// turn: however much work one tenant has, another waits for at most one piece of work of each other tenant. It is safe
// for concurrent use.
type Fair struct {
	mu        sync.Mutex
	free      int64
	capacity  int64
	perTenant int64
	held      map[string]int64
	waiting   map[string][]*request
	turns     []string // tenants with waiting requests; the first is served next
}

// request is a caller of Acquire that waits.
type request struct {
	units   int64
	granted chan struct{}
}

// NewFair returns a Fair with a capacity in units of the caller's choice, for example bytes. One tenant may hold up to
// perTenant of them, so that the rest stays free for others; zero means all. It returns [ErrInvalid] unless
// 0 < capacity and 0 <= perTenant <= capacity.
func NewFair(capacity, perTenant int64) (*Fair, error) {
	if capacity < 1 || perTenant < 0 || perTenant > capacity {
		return nil, fmt.Errorf("%w: capacity %d, per tenant %d: must be positive, and 0 to the capacity",
			ErrInvalid, capacity, perTenant)
	}
	if perTenant == 0 {
		perTenant = capacity
	}
	return &Fair{
		free: capacity, capacity: capacity, perTenant: perTenant,
		held: make(map[string]int64), waiting: make(map[string][]*request),
	}, nil
}

// Acquire waits until the tenant of s may hold the given units, and returns a function that gives them back. Requests
// of one tenant are served in order. Acquire returns [ErrInvalid] for more units than one tenant may hold, the error of
// scope.Scope.Require for the zero Scope, and the cause of ctx when it ends.
func (f *Fair) Acquire(ctx context.Context, s scope.Scope, units int64) (release func(), _ error) {
	if err := s.Require(); err != nil {
		return nil, fmt.Errorf("admission: acquire: %w", err)
	}
	if units < 1 || units > f.perTenant {
		return nil, fmt.Errorf("%w: %d units: must be 1 to %d", ErrInvalid, units, f.perTenant)
	}
	tenant, r := s.TenantID(), &request{units, make(chan struct{})}
	f.mu.Lock()
	if len(f.waiting[tenant]) == 0 {
		f.turns = append(f.turns, tenant)
	}
	f.waiting[tenant] = append(f.waiting[tenant], r)
	f.grantWaiting()
	f.mu.Unlock()
	select {
	case <-r.granted:
		return sync.OnceFunc(func() { f.releaseUnits(tenant, units) }), nil
	case <-ctx.Done():
		f.withdrawRequest(tenant, r)
		return nil, fmt.Errorf("admission: acquire: %w", context.Cause(ctx))
	}
}

// grantWaiting serves waiting requests in turn. A tenant that has its share is passed over; one whose request does not
// fit the free units keeps its turn, so that small requests do not starve a large one.
func (f *Fair) grantWaiting() {
	for i := 0; i < len(f.turns); {
		tenant := f.turns[i]
		r := f.waiting[tenant][0]
		switch {
		case f.held[tenant]+r.units > f.perTenant:
			i++
			continue
		case r.units > f.free:
			return
		}
		f.free -= r.units
		f.held[tenant] += r.units
		close(r.granted)
		f.turns = append(f.turns[:i], f.turns[i+1:]...)
		if f.waiting[tenant] = f.waiting[tenant][1:]; len(f.waiting[tenant]) == 0 {
			delete(f.waiting, tenant)
			continue
		}
		f.turns = append(f.turns, tenant)
	}
}

func (f *Fair) releaseUnits(tenant string, units int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.returnUnits(tenant, units)
}

func (f *Fair) returnUnits(tenant string, units int64) {
	f.free += units
	if f.held[tenant] -= units; f.held[tenant] == 0 {
		delete(f.held, tenant)
	}
	f.grantWaiting()
}

// withdrawRequest removes a request that waits no more. If it has been granted meanwhile, its units are given back.
func (f *Fair) withdrawRequest(tenant string, r *request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := slices.Index(f.waiting[tenant], r)
	if i < 0 {
		f.returnUnits(tenant, r.units)
		return
	}
	f.waiting[tenant] = slices.Delete(f.waiting[tenant], i, i+1)
	if len(f.waiting[tenant]) == 0 {
		delete(f.waiting, tenant)
		f.turns = slices.DeleteFunc(f.turns, func(t string) bool { return t == tenant })
	}
	f.grantWaiting()
}
