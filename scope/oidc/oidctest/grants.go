package oidctest

import (
	"crypto/rand"
	"maps"
	"sync"
	"time"
)

const maxGrants = 1000

// grant is the content of a code or a refresh token.
type grant struct {
	claims  map[string]any
	expires time.Time

	nonce, challenge, redirect string // of a code
}

// grants stores the codes or the refresh tokens. A grant is taken once, within its life.
type grants struct {
	life time.Duration

	mu   sync.Mutex
	byID map[string]grant
}

// put stores g and returns its id. If the store is full, it drops the oldest grant.
func (s *grants) put(g grant) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byID == nil {
		s.byID = map[string]grant{}
	}
	if len(s.byID) >= maxGrants {
		var oldest string
		for id, other := range s.byID {
			if oldest == "" || other.expires.Before(s.byID[oldest].expires) {
				oldest = id
			}
		}
		delete(s.byID, oldest)
	}
	g.expires = time.Now().Add(s.life)
	id := rand.Text()
	s.byID[id] = g
	return id
}

// take removes the grant and returns it, unless it is unknown or has expired.
func (s *grants) take(id string) (grant, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g, ok := s.byID[id]
	delete(s.byID, id)
	return g, ok && time.Now().Before(g.expires)
}

// revoke removes the grants of the user with this claim sub.
func (s *grants) revoke(sub any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.byID, func(_ string, g grant) bool { return g.claims["sub"] == sub })
}
