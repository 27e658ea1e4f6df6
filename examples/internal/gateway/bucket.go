package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// EnsureBucket makes the bucket unless the caller has it already. Two who do it
// at once both succeed.
func EnsureBucket(ctx context.Context, c *s3.Client, bucket string) error {
	in := &s3.CreateBucketInput{Bucket: &bucket}
	if region := c.Options().Region; region != "" && region != "us-east-1" {
		in.CreateBucketConfiguration = &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraint(region)}
	}
	if _, err := c.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &bucket}); err == nil {
		return nil
	}
	_, err := c.CreateBucket(ctx, in)
	if _, owned := errors.AsType[*types.BucketAlreadyOwnedByYou](err); err == nil || owned {
		return nil
	}
	return fmt.Errorf("gateway: make bucket %q: %w", bucket, err)
}

// AllowUploads puts the bucket's CORS rule: pages of these origins may PUT with
// any header that a grant names, and read the ETag of the answer. An origin is
// scheme, host and port, as a browser sends it.
func AllowUploads(ctx context.Context, c *s3.Client, bucket string, origins []string) error {
	_, err := c.PutBucketCors(ctx, &s3.PutBucketCorsInput{
		Bucket: &bucket,
		CORSConfiguration: &types.CORSConfiguration{CORSRules: []types.CORSRule{{
			AllowedOrigins: origins,
			AllowedMethods: []string{http.MethodPut},
			AllowedHeaders: []string{"Content-Type", "If-None-Match", "X-Amz-Checksum-Sha256", "X-Amz-Expected-Bucket-Owner"},
			ExposeHeaders:  []string{"ETag"},
			MaxAgeSeconds:  aws.Int32(600),
		}}},
	})
	if err != nil {
		return fmt.Errorf("gateway: CORS rule of bucket %q: %w", bucket, err)
	}
	return nil
}
