package presign

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// credentials returns those that will sign. If they end within MinLife they
// are fetched anew, once: past the cache where the provider is one
// (aws.CredentialsCache).
func credentials(ctx context.Context, provider aws.CredentialsProvider) (aws.Credentials, error) {
	if provider == nil {
		return aws.Credentials{}, invalid("the client has no credentials")
	}
	creds, err := provider.Retrieve(ctx)
	if err != nil {
		return aws.Credentials{}, fmt.Errorf("credentials: %w", err)
	}
	if !ending(creds) {
		return creds, nil
	}
	if cache, ok := provider.(interface{ Invalidate() }); ok {
		cache.Invalidate()
	}
	if creds, err = provider.Retrieve(ctx); err != nil {
		return aws.Credentials{}, fmt.Errorf("credentials: %w", err)
	}
	if ending(creds) {
		return aws.Credentials{}, fmt.Errorf("%w: in %v", ErrExpiring, time.Until(creds.Expires).Round(time.Second))
	}
	return creds, nil
}

func ending(c aws.Credentials) bool {
	return c.CanExpire && time.Until(c.Expires) < MinLife
}

// clamp returns how long a URL signed by c can be good for, in whole seconds.
func clamp(d time.Duration, c aws.Credentials) time.Duration {
	if c.CanExpire {
		d = min(d, time.Until(c.Expires))
	}
	return d.Truncate(time.Second)
}

// fixed makes a provider of c alone, so that nothing else can sign.
func fixed(c aws.Credentials) aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return c, nil })
}

// inContext is the provider of what the context carries under it.
type inContext struct{}

func (inContext) Retrieve(ctx context.Context) (aws.Credentials, error) {
	c, ok := ctx.Value(inContext{}).(aws.Credentials)
	if !ok {
		return c, invalid("no credentials in the context")
	}
	return c, nil
}
