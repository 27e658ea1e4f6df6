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
	// RefetchInterval is how far apart two fetches of the keys are at least. The
	// first that an unknown key causes after New comes at once.
	RefetchInterval = 30 * time.Second

	// KeyAge is how old the keys may be. From half of it on they are fetched
	// again beside the verification, from all of it on before it; where that
	// fails they are used on, until MaxKeyAge.
	KeyAge = time.Hour

	// MaxKeyAge is how long keys are used while the issuer cannot be reached.
	MaxKeyAge = 24 * time.Hour
)

// keys are the issuer's keys at one moment.
type keys struct {
	byID map[string]*rsa.PublicKey // by kid
	at   time.Time                 // when their fetch began
}

// keySet keeps the keys. No goroutine runs but for a fetch, and there is one
// fetch at a time, whoever waits for it.
type keySet struct {
	fetcher *fetcher
	uri     string
	life    context.Context
	end     context.CancelFunc
	current atomic.Pointer[keys]

	mu     sync.Mutex
	flight chan struct{} // closed at the end of the fetch that runs; nil where none does
	tried  time.Time     // when the last one began; zero after New
	err    error         // of the last one
	wg     sync.WaitGroup
}

// keysError carries an error that is not about the token through the parser.
type keysError struct{ err error }

func (e *keysError) Error() string { return e.err.Error() }
func (e *keysError) Unwrap() error { return e.err }

func newKeySet(ctx context.Context, f *fetcher, uri string) (*keySet, error) {
	k := &keySet{fetcher: f, uri: uri}
	now, err := k.load(ctx)
	if err != nil {
		return nil, err
	}
	k.current.Store(now)
	k.life, k.end = context.WithCancel(context.WithoutCancel(ctx))
	return k, nil
}

func (k *keySet) close() {
	k.mu.Lock()
	k.end()
	k.mu.Unlock()
	k.wg.Wait()
}

// find returns the key that t names.
func (k *keySet) find(ctx context.Context, t *jwt.Token) (any, error) {
	kid, _ := t.Header["kid"].(string)
	now, err := k.having(ctx, kid)
	if err != nil {
		return nil, &keysError{err}
	}
	key := now.byID[kid]
	if key == nil {
		return nil, refused(UnknownKey)
	}
	return key, nil
}

// having returns the keys, fetched again where they are old or kid is not
// among them.
func (k *keySet) having(ctx context.Context, kid string) (*keys, error) {
	if k.life.Err() != nil {
		return nil, ErrClosed
	}
	now := k.current.Load()
	known := now.byID[kid] != nil
	switch age := time.Since(now.at); {
	case known && age < KeyAge/2:
		return now, nil
	case known && age < KeyAge:
		k.refetch()
		return now, nil
	}
	if done := k.refetch(); done != nil {
		select {
		case <-done:
		case <-ctx.Done():
			return nil, fmt.Errorf("oidc: waiting for the keys: %w", ctx.Err())
		}
	}
	now = k.current.Load()
	k.mu.Lock()
	err := k.err
	k.mu.Unlock()
	if k.life.Err() != nil {
		return nil, ErrClosed
	}
	if err != nil && (now.byID[kid] == nil || time.Since(now.at) >= MaxKeyAge) {
		return nil, err // perhaps the key is there, and we cannot know
	}
	return now, nil
}

// refetch joins the fetch that runs, or begins one; nil where it is too soon.
func (k *keySet) refetch() <-chan struct{} {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.flight != nil {
		return k.flight
	}
	if k.life.Err() != nil || !k.tried.IsZero() && time.Since(k.tried) < RefetchInterval {
		return nil
	}
	k.tried = time.Now()
	done := make(chan struct{})
	k.flight = done
	k.wg.Go(func() {
		now, err := k.load(k.life)
		k.mu.Lock()
		defer k.mu.Unlock()
		if err == nil {
			k.current.Store(now)
		}
		k.err, k.flight = err, nil
		close(done)
	})
	return done
}

func (k *keySet) load(ctx context.Context) (*keys, error) {
	at := time.Now()
	b, err := k.fetcher.get(ctx, k.uri)
	if err != nil {
		return nil, err
	}
	byID, err := parseKeys(b)
	if err != nil {
		return nil, unavailable("key set %q: %w", k.uri, err)
	}
	return &keys{byID: byID, at: at}, nil
}
