package credential

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/carrel-go/carrel/scope"
)

// The limits of AssumeRole, and the defaults of [Options].
const (
	minDuration = 15 * time.Minute
	maxDuration = 12 * time.Hour

	defaultDuration = time.Hour
	defaultSize     = 1024

	// refreshAge is how long before their expiry credentials are fetched again. With less, a presign.Signer rejects some
	// of them.
	refreshAge = 5 * time.Minute

	// callTimeout limits one call of STS with the client's retries.
	callTimeout = 30 * time.Second

	// patience is how long a refresh keeps callers waiting who have valid credentials.
	patience = time.Second
)

// Client has the method of *[sts.Client] that a [Vendor] calls. It must be safe for
// concurrent use, and block until STS has answered or the context ends.
type Client interface {
	AssumeRole(context.Context, *sts.AssumeRoleInput, ...func(*sts.Options)) (*sts.AssumeRoleOutput, error)
}

var _ Client = (*sts.Client)(nil)

// Options configures a [Vendor]. Nil is valid.
type Options struct {
	// Duration is the life of a session, 15 min to 12 h in whole seconds, and at most
	// what the role allows. STS allows at most one hour if the client's own
	// credentials are those of a role, such as a task's or a function's. Default: 1
	// hour.
	Duration time.Duration

	// Size is the number of cached credentials, about 2 KB each. The least recently
	// used is evicted. Default: 1,024.
	Size int
}

// Vendor returns credentials of one role, narrowed to a scope and a purpose, and
// caches them. It is safe for concurrent use and need not be closed. It makes at most
// one concurrent call of STS for a scope and purpose.
type Vendor struct {
	client    Client
	role      role
	resources Resources
	opt       Options

	mu      sync.Mutex
	cache   *cache
	flights map[key]*flight
}

// key identifies cached credentials. The role and the resources are the same for all
// of a Vendor's credentials.
type key struct {
	scope   scope.Scope
	purpose Purpose
}

type role struct{ arn, account string }

// New returns a vendor for the role with the given ARN. The client's credentials must
// be allowed to assume the role. The role should allow no more than the policies of
// this package do for all tenants. New returns an error for an invalid argument or
// option.
func New(c Client, roleARN string, r Resources, o *Options) (*Vendor, error) {
	v := &Vendor{client: c, flights: map[key]*flight{}}
	if o != nil {
		v.opt = *o
	}
	v.opt.Duration = cmp.Or(v.opt.Duration, defaultDuration)
	v.opt.Size = cmp.Or(v.opt.Size, defaultSize)
	m := roleGrammar.FindStringSubmatch(roleARN)
	if m != nil && r.Account == "" {
		r.Account = m[2]
	}
	var err error
	if v.resources, err = r.withDefaults(); err != nil {
		return nil, fmt.Errorf("credential: new: %w", err)
	}
	switch d := v.opt.Duration; {
	case c == nil:
		err = invalidf("client: must not be nil")
	case m == nil || m[1] != v.resources.Partition:
		err = invalidf("role %.80q: must be the ARN of a role in partition %q", roleARN, v.resources.Partition)
	case d < minDuration || d > maxDuration || d%time.Second != 0:
		err = invalidf("duration %v: must be whole seconds from %v to %v", d, minDuration, maxDuration)
	case v.opt.Size < 0:
		err = invalidf("size %d: must be at least 0", v.opt.Size)
	}
	if err != nil {
		return nil, fmt.Errorf("credential: new: %w", err)
	}
	v.role = role{roleARN, m[2]}
	v.cache = newCache(v.opt.Size)
	return v, nil
}

// Retrieve returns cached or new credentials for the scope and the purpose. They are
// valid for longer than 5 minutes, unless STS fails or takes longer than a second.
// Retrieve then returns the cached ones until they expire.
//
// Concurrent callers for the same key share one call. A caller whose ctx ends returns
// its error; the call continues for the others, and is canceled with the last one. A
// call that refreshes credentials while a caller uses the cached ones continues for at
// most 30 seconds.
//
// It returns the errors of [Policy] and wrapped errors of STS, and an error if STS
// answers without usable credentials. Errors are not cached.
func (v *Vendor) Retrieve(ctx context.Context, s scope.Scope, p Purpose) (aws.Credentials, error) {
	k := key{s, p}
	v.mu.Lock()
	kept, ok := v.cache.get(k)
	if ok && time.Until(kept.Expires) > refreshAge {
		v.mu.Unlock()
		return kept, nil
	}
	f := v.joinFlight(ctx, k)
	v.mu.Unlock()

	isValid := ok && time.Until(kept.Expires) > 0
	var late <-chan time.Time
	if isValid {
		timer := time.NewTimer(time.Until(f.start.Add(patience)))
		defer timer.Stop()
		late = timer.C
	}
	select {
	case <-f.done:
	case <-late: // this caller does not leave the flight, so that it continues for later ones
		return kept, nil
	case <-ctx.Done():
		v.leaveFlight(k, f)
		return aws.Credentials{}, fmt.Errorf("credential: retrieve: %w", ctx.Err())
	}
	switch {
	case f.err == nil:
		return f.creds, nil
	case isValid:
		return kept, nil
	}
	return aws.Credentials{}, fmt.Errorf("credential: retrieve: %w", f.err)
}

// Provider returns a provider of the credentials for the options of an SDK client. Do
// not wrap it in a cache.
func (v *Vendor) Provider(s scope.Scope, p Purpose) aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) {
		return v.Retrieve(ctx, s, p)
	})
}
