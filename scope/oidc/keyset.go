package oidc

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/MicahParks/keyfunc/v3"
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

const minBits, maxBits = 2048, 8192 // RFC 7518 section 3.3; beyond, a verification costs too much

// keys are the issuer's keys at one moment.
type keys struct {
	kids map[string]bool
	find keyfunc.Keyfunc
	at   time.Time
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
	if !now.kids[kid] {
		return nil, refused(UnknownKey)
	}
	return now.find.KeyfuncCtx(ctx)(t)
}

// having returns the keys, fetched again where they are old or kid is not
// among them.
func (k *keySet) having(ctx context.Context, kid string) (*keys, error) {
	if k.life.Err() != nil {
		return nil, ErrClosed
	}
	now := k.current.Load()
	known := now.kids[kid]
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
	if err != nil && (!now.kids[kid] || time.Since(now.at) >= MaxKeyAge) {
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
	now, err := parseKeys(b)
	if err != nil {
		return nil, unavailable("key set %q: %w", k.uri, err)
	}
	now.at = at
	return now, nil
}

// jwk is what we take of a JSON Web Key (RFC 7517, RFC 7518 section 6.3.1).
type jwk struct {
	Kty string   `json:"kty"`
	Use string   `json:"use,omitempty"`
	Ops []string `json:"key_ops,omitempty"`
	Alg string   `json:"alg,omitempty"`
	Kid string   `json:"kid"`
	N   string   `json:"n"`
	E   string   `json:"e"`
}

// serves reports whether k can verify RS256; other keys are for others.
func (k jwk) serves() bool {
	if k.Kty != "RSA" || k.Kid == "" || k.Use != "" && k.Use != "sig" || k.Alg != "" && k.Alg != "RS256" ||
		k.Ops != nil && !slices.Contains(k.Ops, "verify") {
		return false
	}
	n, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(k.N, "="))
	bits := new(big.Int).SetBytes(n).BitLen()
	return err == nil && bits >= minBits && bits <= maxBits
}

// parseKeys reads a key set. Keys that cannot serve are left out, and none
// that can is an error.
func parseKeys(b []byte) (*keys, error) {
	var set struct {
		Keys []jwk `json:"keys"`
	}
	if err := json.Unmarshal(b, &set); err != nil {
		return nil, err
	}
	set.Keys = slices.DeleteFunc(set.Keys, func(k jwk) bool { return !k.serves() })
	if len(set.Keys) == 0 {
		return nil, fmt.Errorf("no RSA key of %d to %d bits for RS256", minBits, maxBits)
	}
	kids := make(map[string]bool, len(set.Keys))
	for _, k := range set.Keys {
		if kids[k.Kid] {
			return nil, fmt.Errorf("two keys with the id %.80q", k.Kid)
		}
		kids[k.Kid] = true
	}
	public, err := json.Marshal(set) // nothing that we did not take: no certificates, no private parts
	if err != nil {
		return nil, err
	}
	find, err := keyfunc.NewJWKSetJSON(public)
	if err != nil {
		return nil, err
	}
	return &keys{kids: kids, find: find}, nil
}
