package oidc

import (
	"context"
	"crypto/rsa"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	// refetchInterval is the minimum time between two fetches. The first unknown key
	// after New causes a fetch at once.
	refetchInterval = 30 * time.Second

	// keyAge is the age at which the keys are fetched before a verification. From
	// half of it on they are fetched in the background. If a fetch fails, the keys
	// are used until maxKeyAge.
	keyAge = time.Hour

	// maxKeyAge limits the use of keys while the issuer can't be reached.
	maxKeyAge = 24 * time.Hour
)

// keys is one fetched key set.
type keys struct {
	byID map[string]*rsa.PublicKey // by kid
	at   time.Time                 // start of the fetch
}

// keySet caches the keys. It makes at most one fetch at a time, in a goroutine that
// ends with the fetch or with Close.
//
// The key storage of keyfunc refreshes keys too, but it keeps them without limit
// while the issuer can't be reached, so it can't guarantee maxKeyAge. It also
// discards a whole set if one of its keys is malformed, and does not limit its size.
type keySet struct {
	fetcher *fetcher
	uri     string
	ctx     context.Context // ends at stop
	cancel  context.CancelFunc
	current atomic.Pointer[keys]

	mu        sync.Mutex
	flight    chan struct{} // closed at the end of the current fetch; nil without one
	lastFetch time.Time     // start of the last fetch; zero after New
	err       error         // of the last fetch
	wg        sync.WaitGroup
}

// keysError carries an error that is not about the token through the parser.
type keysError struct{ err error }

func (e *keysError) Error() string { return e.err.Error() }
func (e *keysError) Unwrap() error { return e.err }

func newKeySet(ctx context.Context, f *fetcher, uri string) (*keySet, error) {
	k := &keySet{fetcher: f, uri: uri}
	set, err := k.fetchKeys(ctx)
	if err != nil {
		return nil, err
	}
	k.current.Store(set)
	k.ctx, k.cancel = context.WithCancel(context.WithoutCancel(ctx))
	return k, nil
}

func (k *keySet) stop() {
	k.mu.Lock()
	k.cancel()
	k.mu.Unlock()
	k.wg.Wait()
}

// findKey returns the key that t names.
func (k *keySet) findKey(ctx context.Context, t *jwt.Token) (any, error) {
	kid, _ := t.Header["kid"].(string)
	set, err := k.keysWith(ctx, kid)
	if err != nil {
		return nil, &keysError{err}
	}
	key := set.byID[kid]
	if key == nil {
		return nil, rejectToken(reasonUnknownKey)
	}
	return key, nil
}

// keysWith returns the keys. It fetches them again if they are old or do not have
// kid.
func (k *keySet) keysWith(ctx context.Context, kid string) (*keys, error) {
	if k.ctx.Err() != nil {
		return nil, errClosed
	}
	set := k.current.Load()
	known := set.byID[kid] != nil
	switch age := time.Since(set.at); {
	case known && age < keyAge/2:
		return set, nil
	case known && age < keyAge:
		k.startFetch()
		return set, nil
	}
	if done := k.startFetch(); done != nil {
		select {
		case <-done:
		case <-ctx.Done():
			return nil, fmt.Errorf("oidc: wait for the keys: %w", ctx.Err())
		}
	}
	set = k.current.Load()
	k.mu.Lock()
	err := k.err
	k.mu.Unlock()
	if k.ctx.Err() != nil {
		return nil, errClosed
	}
	if err != nil && (set.byID[kid] == nil || time.Since(set.at) >= maxKeyAge) {
		return nil, err // the issuer may have published the key
	}
	return set, nil
}

// startFetch returns the current fetch or starts one. It returns nil if the last one
// was too recent.
func (k *keySet) startFetch() <-chan struct{} {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.flight != nil {
		return k.flight
	}
	if k.ctx.Err() != nil || !k.lastFetch.IsZero() && time.Since(k.lastFetch) < refetchInterval {
		return nil
	}
	k.lastFetch = time.Now()
	done := make(chan struct{})
	k.flight = done
	k.wg.Go(func() {
		set, err := k.fetchKeys(k.ctx)
		k.mu.Lock()
		defer k.mu.Unlock()
		if err == nil {
			k.current.Store(set)
		}
		k.err, k.flight = err, nil
		close(done)
	})
	return done
}

func (k *keySet) fetchKeys(ctx context.Context) (*keys, error) {
	at := time.Now()
	b, err := k.fetcher.fetchDocument(ctx, k.uri)
	if err != nil {
		return nil, err
	}
	byID, err := parseKeys(b)
	if err != nil {
		return nil, unavailablef("key set %q: %w", k.uri, err)
	}
	return &keys{byID: byID, at: at}, nil
}
