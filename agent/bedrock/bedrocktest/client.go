package bedrocktest

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
)

// NewClient returns a client of the SDK for the server at endpoint (a URL), with made-up credentials and nothing
// from the environment. It retries as often as the SDK does by default (three attempts in all), but without a pause
// and without a quota. The functions may change its options.
func NewClient(endpoint string, fns ...func(*bedrockruntime.Options)) *bedrockruntime.Client {
	o := bedrockruntime.Options{
		Region:       "us-east-1",
		BaseEndpoint: aws.String(endpoint),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: accessKey, SecretAccessKey: secretKey, Source: "bedrocktest"}, nil
		}),
		Retryer: retry.NewStandard(func(o *retry.StandardOptions) {
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
			o.RateLimiter = ratelimit.None
		}),
	}
	sigv4 := func(o *bedrockruntime.Options) { // a bearer token from the environment must not reach a test server
		o.BearerAuthTokenProvider = nil
		o.AuthSchemePreference = nil
	}
	return bedrockruntime.New(o, append([]func(*bedrockruntime.Options){sigv4}, fns...)...)
}
