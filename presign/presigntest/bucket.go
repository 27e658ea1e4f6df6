package presigntest

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/carrel-go/carrel/presign"
)

// EnsureBucket creates the bucket unless the caller owns it already. Concurrent
// calls all succeed.
func EnsureBucket(ctx context.Context, c *s3.Client, bucket string) error {
	in := &s3.CreateBucketInput{Bucket: &bucket}
	if region := c.Options().Region; region != "" && region != "us-east-1" {
		in.CreateBucketConfiguration = &types.CreateBucketConfiguration{
			LocationConstraint: types.BucketLocationConstraint(region),
		}
	}
	if _, err := c.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &bucket}); err == nil {
		return nil
	}
	_, err := c.CreateBucket(ctx, in)
	if _, owned := errors.AsType[*types.BucketAlreadyOwnedByYou](err); err == nil || owned {
		return nil
	}
	return fmt.Errorf("presigntest: create bucket %q: %w", bucket, err)
}

// AllowUploads sets the CORS rule that presign.CORS returns for these origins on
// the bucket.
func AllowUploads(ctx context.Context, c *s3.Client, bucket string, origins []string) error {
	rule, err := presign.CORS(origins...)
	if err == nil {
		_, err = c.PutBucketCors(ctx, &s3.PutBucketCorsInput{
			Bucket:            &bucket,
			CORSConfiguration: &types.CORSConfiguration{CORSRules: []types.CORSRule{rule}},
		})
	}
	if err != nil {
		return fmt.Errorf("presigntest: CORS rule of bucket %q: %w", bucket, err)
	}
	return nil
}
