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
// buckets and the table must exist. The server does not create them.
func amazon(ctx context.Context, c config) (services, error) {
	cfg, err := awsconfig.LoadDefaultConfig(ctx)
	if err != nil {
		return services{}, fmt.Errorf("-aws: %w", err)
	}
	if cfg.Region == "" {
		return services{}, errors.New("-aws: no region: set AWS_REGION")
	}
	model, err := bedrock.New(bedrockruntime.NewFromConfig(cfg), c.model, nil)
	if err != nil {
		return services{}, fmt.Errorf("-aws: %w", err)
	}
	on := services{
		// Other S3 servers do not have a host name for each bucket.
		s3:    s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = o.BaseEndpoint != nil }),
		model: model,
	}
	for _, bucket := range []string{c.landing, c.raw} {
		if _, err := on.s3.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &bucket}); err != nil {
			return services{}, fmt.Errorf("-aws: bucket %q must exist: %w", bucket, err)
		}
	}
	client := dynamodb.NewFromConfig(cfg)
	if err := dynamo.CreateTable(ctx, existing{client}, c.table, &tableOptions); err != nil {
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

// existing is a client that rejects changes, so that CreateTable only verifies the table.
type existing struct{ *dynamodb.Client }

func (existing) CreateTable(context.Context, *dynamodb.CreateTableInput,
	...func(*dynamodb.Options)) (*dynamodb.CreateTableOutput, error) {
	return nil, errors.New("the table does not exist, and -aws does not create it")
}

func (existing) UpdateTimeToLive(context.Context, *dynamodb.UpdateTimeToLiveInput,
	...func(*dynamodb.Options)) (*dynamodb.UpdateTimeToLiveOutput, error) {
	return nil, errors.New("the table's TTL is disabled, and -aws does not enable it")
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
