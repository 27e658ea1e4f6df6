package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/carrel-go/carrel/agent/bedrock"
	"github.com/carrel-go/carrel/scope/table/dynamo"
)

// amazon connects to AWS with the SDK's default configuration: environment, profile, role and endpoint overrides. The
// buckets and the table must exist. The server does not create them. If something is missing or not allowed, the error
// says so for all of it at once.
func amazon(ctx context.Context, c config) (services, error) {
	cfg, err := awsconfig.LoadDefaultConfig(ctx)
	if err != nil {
		return services{}, fmt.Errorf("-aws: %w", err)
	}
	// Other S3 servers do not have a host name for each bucket.
	on := services{s3: s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = o.BaseEndpoint != nil })}
	runtime, client := bedrockruntime.NewFromConfig(cfg, keepConnections), dynamodb.NewFromConfig(cfg)
	if on.model, err = bedrock.New(runtime, c.model, nil); err != nil {
		return services{}, fmt.Errorf("-aws: %w", err)
	}
	var checks []check
	if access := checkAccess(ctx, cfg); access != nil {
		checks = append(checks, *access)
	} else {
		checks = append(checks, checkBucket(on.s3, cfg.Region, c.landing, "-landing"),
			checkBucket(on.s3, cfg.Region, c.raw, "-raw"), checkTable(client, c.table))
		if c.getenv(runtimeAPI) == "" { // each start of a function would ask the model
			checks = append(checks, checkModel(runtime, cfg.Region, c.model, c.log))
		}
	}
	if c.issuer != "" {
		checks = append(checks, checkIssuer(c))
	}
	if err := runChecks(ctx, checks); err != nil {
		return services{}, fmt.Errorf("-aws: %w", err)
	}
	if on.rows, err = dynamo.New(client, c.table, nil); err != nil {
		return services{}, err
	}
	if c.queue != "" {
		on.queue = sqs.NewFromConfig(cfg)
	}
	return on, nil
}

// checkAccess returns the failed check of the region or the credentials, without which no service can be called.
func checkAccess(ctx context.Context, cfg aws.Config) *check {
	if cfg.Region == "" {
		return &check{"no region", func(context.Context) error { return errors.New("set AWS_REGION") }}
	}
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		return &check{"no credentials", func(context.Context) error {
			return fmt.Errorf("set AWS_PROFILE, sign in with the AWS CLI, or use a role: %w", err)
		}}
	}
	return nil
}

var (
	errTableMissing = errors.New("the table does not exist, and -aws does not create it")
	errNoTTL        = errors.New("the table's TTL is disabled, and -aws does not enable it")
)

// existing is a client that rejects changes, so that CreateTable only verifies the table.
type existing struct{ *dynamodb.Client }

func (existing) CreateTable(context.Context, *dynamodb.CreateTableInput,
	...func(*dynamodb.Options)) (*dynamodb.CreateTableOutput, error) {
	return nil, errTableMissing
}

func (existing) UpdateTimeToLive(context.Context, *dynamodb.UpdateTimeToLiveInput,
	...func(*dynamodb.Options)) (*dynamodb.UpdateTimeToLiveOutput, error) {
	return nil, errNoTTL
}

// uploadOrigin returns the origin of the bucket's grants, which pages must be allowed to send to.
func uploadOrigin(ctx context.Context, client *s3.Client, bucket string) (string, error) {
	r, err := s3.NewPresignClient(client).PresignPutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: aws.String("x")})
	if err != nil {
		return "", err
	}
	u, err := url.Parse(r.URL)
	if err != nil {
		return "", err
	}
	return u.Scheme + "://" + u.Host, nil
}
