package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/signin"
	"github.com/carrel-go/carrel/scope/table/dynamo"
)

const checkTime = 10 * time.Second // for all checks, which run at the same time

// check is one thing that must be right before the server starts.
type check struct {
	name string // in the message
	run  func(context.Context) error
}

// runChecks runs all checks at the same time and returns all failures as one error, in the order of the checks.
func runChecks(ctx context.Context, checks []check) error {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	failures := make([]error, len(checks))
	var running sync.WaitGroup
	for n, c := range checks {
		running.Go(func() {
			err := c.run(ctx)
			if err != nil && ctx.Err() != nil {
				err = fmt.Errorf("no answer within %v: check AWS_REGION and the network", checkTime)
			}
			if err != nil {
				failures[n] = fmt.Errorf("%s: %w", c.name, err)
			}
		})
	}
	running.Wait()
	if err := ctx.Err(); errors.Is(err, context.Canceled) {
		return err
	}
	var failed []error
	for _, err := range failures {
		if err != nil {
			failed = append(failed, err)
		}
	}
	if len(failed) < 2 {
		return errors.Join(failed...)
	}
	return fmt.Errorf("%d checks failed:\n%w", len(failed), errors.Join(failed...))
}

// checkBucket returns why a bucket cannot be used.
func checkBucket(client *s3.Client, region, bucket, flag string) check {
	return check{fmt.Sprintf("bucket %q", bucket), func(ctx context.Context) error {
		_, err := client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &bucket})
		res := findAnswer(err)
		if res == nil {
			return describeFailure(err)
		}
		elsewhere := res.Response.Header.Get("X-Amz-Bucket-Region")
		switch {
		case elsewhere != "" && elsewhere != region:
			return fmt.Errorf("is in the region %s, not in %s: set AWS_REGION, or name another bucket with %s",
				elsewhere, region, flag)
		case res.HTTPStatusCode() == http.StatusNotFound:
			return fmt.Errorf("does not exist: create it (see deploy/storage.yaml), or name another one with %s", flag)
		case res.HTTPStatusCode() == http.StatusForbidden:
			return fmt.Errorf("access is denied: allow s3:ListBucket on it, or, if it is another account's, "+
				"name another one with %s", flag)
		}
		return describeFailure(err)
	}}
}

// checkTable returns why the table cannot be used.
func checkTable(client *dynamodb.Client, name string) check {
	return check{fmt.Sprintf("table %q", name), func(ctx context.Context) error {
		err := dynamo.CreateTable(ctx, existing{client}, name, &tableOptions)
		if err == nil {
			return nil
		}
		if cause := errors.Unwrap(err); cause != nil { // without "create table": nothing is created
			err = cause
		}
		switch {
		case errors.Is(err, dynamo.ErrDenied):
			return errors.New("access is denied: allow dynamodb:DescribeTable and dynamodb:DescribeTimeToLive on it")
		case errors.Is(err, errTableMissing):
			return errors.New("does not exist, and -aws does not create it: create it (see deploy/storage.yaml), " +
				"or name another one with -table")
		case errors.Is(err, errNoTTL):
			return errors.New("its TTL is disabled, and -aws does not enable it: enable it (see deploy/storage.yaml)")
		case errors.Is(err, dynamo.ErrLayout):
			return fmt.Errorf("create it as deploy/storage.yaml does, or name another one with -table: %w", err)
		}
		return describeFailure(err)
	}}
}

// checkModel returns why the model cannot be called. It asks for one token: no other request shows what the account may
// do. A service that is busy or fails does not fail the check.
func checkModel(client *bedrockruntime.Client, region, model string, log *slog.Logger) check {
	return check{fmt.Sprintf("model %q", model), func(ctx context.Context) error {
		out, err := client.ConverseStream(ctx, &bedrockruntime.ConverseStreamInput{
			ModelId: &model,
			Messages: []types.Message{{
				Role:    types.ConversationRoleUser,
				Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: "Say yes."}},
			}},
			InferenceConfig: &types.InferenceConfiguration{MaxTokens: aws.Int32(1)},
		}, func(o *bedrockruntime.Options) { o.RetryMaxAttempts = 1 })
		if err == nil {
			return out.GetStream().Close()
		}
		switch {
		case isCode(err, "AccessDeniedException"):
			return fmt.Errorf("access is denied in %s: request access to the model in the Bedrock console, and allow "+
				"bedrock:InvokeModelWithResponseStream on it. The service says: %s", region, reason(err))
		case isCode(err, "ResourceNotFoundException", "ValidationException"):
			return fmt.Errorf("cannot be called in %s: name a model or an inference profile of this region with -model. "+
				"The service says: %s", region, reason(err))
		case isCode(err, badKeys...), isCode(err, expiredKeys...):
			return describeFailure(err)
		}
		if findAnswer(err) == nil {
			return describeFailure(err)
		}
		log.WarnContext(ctx, "the model could not be checked", "model", model, "err", err)
		return nil
	}}
}

// checkIssuer returns why the issuer's configuration, or its key set, cannot be read.
func checkIssuer(c config) check {
	return check{fmt.Sprintf("issuer %q", c.issuer), func(ctx context.Context) error {
		if c.issuerKeys != "" { // is read by the verifier
			return nil
		}
		if err := signin.CheckIssuer(ctx, c.issuer); err != nil {
			return fmt.Errorf("its configuration cannot be read: check -issuer and the network: %w", err)
		}
		return nil
	}}
}

// Error codes of requests whose signature is not accepted.
var (
	badKeys = []string{
		"UnrecognizedClientException", "InvalidClientTokenId", "InvalidAccessKeyId", "SignatureDoesNotMatch",
		"InvalidSignatureException",
	}
	expiredKeys = []string{"ExpiredToken", "ExpiredTokenException"}
)

// describeFailure adds what to do about a failure that any service may answer with.
func describeFailure(err error) error {
	switch {
	case err == nil:
		return nil
	case isCode(err, badKeys...):
		return fmt.Errorf("the credentials are not accepted: check the profile or the keys: %w", err)
	case isCode(err, expiredKeys...):
		return fmt.Errorf("the credentials have expired: sign in again: %w", err)
	case findAnswer(err) == nil:
		return fmt.Errorf("cannot be reached: check AWS_REGION and the network: %w", err)
	}
	return err
}

// findAnswer returns the answer of a service that err contains, or nil if the service did not answer: the error of a
// connection that was refused is also a ResponseError, without a status.
func findAnswer(err error) *awshttp.ResponseError {
	if res, ok := errors.AsType[*awshttp.ResponseError](err); ok && res.HTTPStatusCode() != 0 {
		return res
	}
	return nil
}

// reason returns the message of the service, or the whole error.
func reason(err error) string {
	if e, ok := errors.AsType[smithy.APIError](err); ok && e.ErrorMessage() != "" {
		return e.ErrorMessage()
	}
	return err.Error()
}

func isCode(err error, codes ...string) bool {
	e, ok := errors.AsType[smithy.APIError](err)
	return ok && slices.Contains(codes, e.ErrorCode())
}
