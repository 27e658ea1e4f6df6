package lan

import (
	"crypto/rand"
	"crypto/sha256"
	"net/http"
	"sync"
	"time"
)

const (
	sessionCookie = "bookshelf_device"
	sessionLife   = 12 * time.Hour
	maxDevices    = 32
)

// sessions are the devices that have been let in, by the digest of their cookie.
type sessions struct {
	mu    sync.Mutex
	until map[[sha256.Size]byte]time.Time
}

// begin sets the cookie of a new session. If there are too many, the oldest one ends.
func (s *sessions) begin(w http.ResponseWriter) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.until == nil {
		s.until = map[[sha256.Size]byte]time.Time{}
	}
	if len(s.until) >= maxDevices {
		var oldest [sha256.Size]byte
		for id, until := range s.until {
			if _, ok := s.until[oldest]; !ok || until.Before(s.until[oldest]) {
				oldest = id
			}
		}
		delete(s.until, oldest)
	}
	id := rand.Text()
	s.until[sha256.Sum256([]byte(id))] = time.Now().Add(sessionLife)
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // the network is plain http
		Name: sessionCookie, Value: id, Path: "/", MaxAge: int(sessionLife / time.Second),
		HttpOnly: true, SameSite: http.SameSiteStrictMode,
	})
}

// has reports whether the request's cookie is that of a session.
func (s *sessions) has(r *http.Request) bool {
	c, err := r.Cookie(sessionCookie)
	if err != nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Now().Before(s.until[sha256.Sum256([]byte(c.Value))])
}
