package agent

import (
	"errors"
	"sync"
)

// errAbandoned is the error of a call that is not made because too many are abandoned.
var errAbandoned = errors.New("agent: not run: too many abandoned calls have not returned")

// maxAbandoned is the largest number of abandoned calls of an agent.
const maxAbandoned = 64

// abandonedCalls counts the calls that runs have abandoned and that have not returned.
type abandonedCalls struct {
	max int

	mu       sync.Mutex
	all      int
	byTenant map[string]int // no zeros
}

// add counts n more calls of a tenant.
func (a *abandonedCalls) add(tenant string, n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.byTenant == nil {
		a.byTenant = map[string]int{}
	}
	a.all += n
	if a.byTenant[tenant] += n; a.byTenant[tenant] == 0 {
		delete(a.byTenant, tenant)
	}
}

// isFull reports whether the tenant must not make another call: it holds its share, a quarter, or all tenants together
// hold the maximum.
func (a *abandonedCalls) isFull(tenant string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.all >= a.max || a.byTenant[tenant] >= max(1, a.max/4)
}

// count returns how many there are.
func (a *abandonedCalls) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.all
}
