package mcp

import (
	"sync"

	"github.com/carrel-go/carrel/scope"
)

// gate counts the requests in flight of each user and each tenant.
type gate struct {
	users, tenants int

	mu       sync.Mutex
	inFlight map[scope.Scope]int // of users, and of tenants
}

// enter counts a request of s, and returns the function that ends it, or nil if a limit is reached.
func (g *gate) enter(s scope.Scope) (leave func()) {
	tenant, err := scope.Tenant(s.TenantID())
	if err != nil {
		return nil
	}
	user := tenant // callers without a user share one count
	if s.UserID() != "" {
		if user, err = tenant.User(s.UserID()); err != nil {
			return nil
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.inFlight[tenant] >= g.tenants || user != tenant && g.inFlight[user] >= g.users {
		return nil
	}
	g.add(tenant, user, 1)
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.add(tenant, user, -1)
	}
}

func (g *gate) add(tenant, user scope.Scope, n int) {
	for _, s := range []scope.Scope{tenant, user} {
		if g.inFlight[s] += n; g.inFlight[s] == 0 {
			delete(g.inFlight, s)
		}
		if user == tenant {
			return
		}
	}
}
