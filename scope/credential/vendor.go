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
	MinDuration = 15 * time.Minute
	MaxDuration = 12 * time.Hour

	DefaultDuration = time.Hour
	DefaultRefresh  = 5 * time.Minute
	DefaultSize     = 1024
	DefaultTimeout  = 30 * time.Second
)

// Client is what a [Vendor] calls of *[sts.Client], and a *sts.Client is one.
// It must be safe for concurrent use, block until STS has answered, and return
// early with the context's error when that ends.
type Client interface {
	AssumeRole(context.Context, *sts.AssumeRoleInput, ...func(*sts.Options)) (*sts.AssumeRoleOutput, error)
}

var _ Client = (*sts.Client)(nil)

// Options configure a [Vendor]. Nil is valid.
type Options struct {
	// Duration is how long a session is to live, 15 min to 12 h in whole
	// seconds, and no longer than the role allows. A client whose own
	// credentials are those of a role (a task's, a function's) chains roles, and
	// then STS refuses more than one hour. Default: DefaultDuration.
	Duration time.Duration

	// Refresh is how long before their end credentials are fetched anew, less
	// than Duration. Below 5 minutes a presign.Signer refuses some
	// of them. Default: DefaultRefresh.
	Refresh time.Duration

	// Size is how many scopes and purposes are kept, about 2 KB each; the one
	// that was used longest ago makes room. Default: DefaultSize.
	Size int

	// Timeout bounds one call of STS, retries of the client included. Default:
	// DefaultTimeout.
	Timeout time.Duration
}

// Vendor gets credentials of one role, narrowed to a scope and a purpose, and
// keeps them while they last. It is safe for concurrent use, owns nothing that
// must be closed, and calls STS at most once at a time for a scope and purpose.
type Vendor struct {
	client    Client
	role      role
	resources Resources
	opt       Options

	mu      sync.Mutex
	cache   *cache
	flights map[key]*flight
}

// key is the whole tuple that a scope is, and the purpose. The role, the
// resources and the wording of the policies are one for a Vendor's whole life,
// so nothing else tells two of its credentials apart.
type key struct {
	scope   scope.Scope
	purpose Purpose
}

type role struct{ arn, account string }

// New returns the vendor of sessions of a role, given by its ARN. The client's
// own credentials must be allowed to assume it, and it should allow, for all
// tenants together, no more than the policies of this package do.
//
// Errors: [ErrInvalid].
func New(c Client, roleARN string, r Resources, o *Options) (*Vendor, error) {
	v := &Vendor{client: c, flights: map[key]*flight{}}
	if o != nil {
		v.opt = *o
	}
	v.opt.Duration = cmp.Or(v.opt.Duration, DefaultDuration)
	v.opt.Refresh = cmp.Or(v.opt.Refresh, DefaultRefresh)
	v.opt.Size = cmp.Or(v.opt.Size, DefaultSize)
	v.opt.Timeout = cmp.Or(v.opt.Timeout, DefaultTimeout)
	m := roleGrammar.FindStringSubmatch(roleARN)
	if m != nil && r.Account == "" {
		r.Account = m[2]
	}
	var err error
	if v.resources, err = r.normal(); err != nil {
		return nil, fmt.Errorf("credential: new: %w", err)
	}
	switch d := v.opt.Duration; {
	case c == nil:
		err = invalid("no client")
	case m == nil || m[1] != v.resources.Partition:
		err = invalid("role %.80q in partition %q", roleARN, v.resources.Partition)
	case d < MinDuration || d > MaxDuration || d%time.Second != 0:
		err = invalid("a duration of %v; whole seconds from %v to %v are possible", d, MinDuration, MaxDuration)
	case v.opt.Refresh < 0 || v.opt.Refresh >= d:
		err = invalid("to refresh %v before the end of %v", v.opt.Refresh, d)
	case v.opt.Size < 0:
		err = invalid("a size of %d", v.opt.Size)
	case v.opt.Timeout < 0:
		err = invalid("a timeout of %v", v.opt.Timeout)
	}
	if err != nil {
		return nil, fmt.Errorf("credential: new: %w", err)
	}
	v.role = role{roleARN, m[2]}
	v.cache = newCache(v.opt.Size)
	return v, nil
}

// Retrieve returns credentials for the scope and the purpose: those that are
// kept, or new ones of STS. They live longer than Options.Refresh, with one
// exception: where STS fails in that last stretch, those that are kept are good
// until their end and are returned, with their true expiry.
//
// Callers that want the same at once wait for one call. A caller whose ctx ends
// leaves with its error; the call goes on for the others, and is cancelled with
// the last of them.
//
// Errors: those of [Policy], of STS, wrapped, [ErrTooLong] and [ErrAnswer]. An
// error is not kept: the next Retrieve asks again.
func (v *Vendor) Retrieve(ctx context.Context, s scope.Scope, p Purpose) (aws.Credentials, error) {
	k := key{s, p}
	v.mu.Lock()
	kept, ok := v.cache.get(k)
	if ok && time.Until(kept.Expires) > v.opt.Refresh {
		v.mu.Unlock()
		return kept, nil
	}
	f := v.join(ctx, k)
	v.mu.Unlock()

	select {
	case <-f.done:
	case <-ctx.Done():
		v.leave(k, f)
		return aws.Credentials{}, fmt.Errorf("credential: retrieve: %w", ctx.Err())
	}
	if f.err == nil {
		return f.creds, nil
	}
	if ok && time.Until(kept.Expires) > 0 {
		return kept, nil
	}
	return aws.Credentials{}, fmt.Errorf("credential: retrieve: %w", f.err)
}

// Provider returns the credentials for the scope and the purpose as a provider
// for the options of an SDK's client. It needs no cache around it.
func (v *Vendor) Provider(s scope.Scope, p Purpose) aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) {
		return v.Retrieve(ctx, s, p)
	})
}
