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

// amazon returns AWS's services, as the SDK's own configuration says: environment, profile, role. Whatever endpoints
// that names are used. The buckets and the table have to be there: who may make them is not the server's to know.
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
		// A server that is not Amazon's has no name for each bucket.
		s3:    s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = o.BaseEndpoint != nil }),
		model: model,
	}
	for _, bucket := range []string{c.landing, c.raw} {
		if _, err := on.s3.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &bucket}); err != nil {
			return services{}, fmt.Errorf("-aws: bucket %q, which has to be there: %w", bucket, err)
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

// existing is a client that changes no table, so that CreateTable only looks whether it is as it should be.
type existing struct{ *dynamodb.Client }

func (existing) CreateTable(context.Context, *dynamodb.CreateTableInput, ...func(*dynamodb.Options)) (*dynamodb.CreateTableOutput, error) {
	return nil, errors.New("there is none, and with -aws none is made")
}

func (existing) UpdateTimeToLive(context.Context, *dynamodb.UpdateTimeToLiveInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateTimeToLiveOutput, error) {
	return nil, errors.New("its TTL is off, and with -aws nothing is changed")
}

// uploadOrigin is the origin of the bucket's grants: where a page has to be allowed to send to.
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
