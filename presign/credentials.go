package presign

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// minLife is the shortest remaining life of credentials that sign a grant.
const minLife = 5 * time.Minute

// fetchCredentials returns the credentials that will sign. If they expire within
// minLife, it fetches them once more, past an aws.CredentialsCache.
func fetchCredentials(ctx context.Context, provider aws.CredentialsProvider) (aws.Credentials, error) {
	if provider == nil {
		return aws.Credentials{}, invalidf("client: must have credentials")
	}
	creds, err := provider.Retrieve(ctx)
	if err == nil && isExpiring(creds) {
		if cache, ok := provider.(interface{ Invalidate() }); ok {
			cache.Invalidate()
		}
		creds, err = provider.Retrieve(ctx)
	}
	if err != nil {
		return aws.Credentials{}, fmt.Errorf("credentials: %w", err)
	}
	if isExpiring(creds) {
		return aws.Credentials{}, fmt.Errorf("%w: in %v", ErrExpiring, time.Until(creds.Expires).Round(time.Second))
	}
	return creds, nil
}

func isExpiring(c aws.Credentials) bool {
	return c.CanExpire && time.Until(c.Expires) < minLife
}

// clampExpiry limits d to the remaining life of c, in whole seconds.
func clampExpiry(d time.Duration, c aws.Credentials) time.Duration {
	if c.CanExpire {
		d = min(d, time.Until(c.Expires))
	}
	return d.Truncate(time.Second)
}

// staticProvider returns a provider of c alone, so other credentials can't sign.
func staticProvider(c aws.Credentials) aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return c, nil })
}

// contextProvider provides the credentials in the context. It is also their key there.
type contextProvider struct{}

func (contextProvider) Retrieve(ctx context.Context) (aws.Credentials, error) {
	c, ok := ctx.Value(contextProvider{}).(aws.Credentials)
	if !ok {
		return c, invalidf("context: must carry credentials")
	}
	return c, nil
}
