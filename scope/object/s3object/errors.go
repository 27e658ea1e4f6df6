package s3object

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/carrel-go/carrel/scope/object"
)

// mapError maps the error of a request for one object. A 403 may be S3's way
// of saying 404, so it is looked into.
func (d *Driver) mapError(ctx context.Context, c Client, a object.Addr, err error) error {
	mapped := mapStatus(err)
	if !errors.Is(mapped, object.ErrDenied) {
		return mapped
	}
	// The key itself sorts before all that it is a prefix of.
	out, listErr := c.ListObjectsV2(ctx, &s3.ListObjectsV2Input{
		Bucket: &d.bucket, Prefix: aws.String(a.Key()), MaxKeys: aws.Int32(1), ExpectedBucketOwner: d.owner,
	})
	if listErr != nil {
		return mapped
	}
	if len(out.Contents) > 0 && aws.ToString(out.Contents[0].Key) == a.Key() {
		return mapped
	}
	return fmt.Errorf("%w (absent from a list of its key)", object.ErrNotFound)
}

// mapPut maps the error of a put: what a 412 means depends on what was asked.
func mapPut(err error, o object.PutOptions) error {
	if status(err) == http.StatusPreconditionFailed && o.IfMatch == "" {
		return join(object.ErrExists, err)
	}
	return mapStatus(err)
}

// mapStatus adds the sentinel that fits to an error of the SDK. By the status
// where a HEAD has nothing else; by the code where one status means two things.
// See https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html.
func mapStatus(err error) error {
	if err == nil {
		return nil
	}
	switch code := apiCode(err); status(err) {
	case http.StatusNotFound:
		if code != "NoSuchBucket" {
			return join(object.ErrNotFound, err)
		}
	case http.StatusForbidden:
		if code == "" || code == "AccessDenied" || code == "Forbidden" || code == "AllAccessDisabled" {
			return join(object.ErrDenied, err)
		}
	case http.StatusPreconditionFailed:
		return join(object.ErrChanged, err)
	case http.StatusConflict:
		if code == "ConditionalRequestConflict" || code == "OperationAborted" {
			return join(object.ErrConflict, err)
		}
	case http.StatusRequestedRangeNotSatisfiable:
		return join(object.ErrRange, err)
	case http.StatusBadRequest:
		if code == "EntityTooLarge" {
			return join(object.ErrTooLarge, err)
		}
	}
	return fmt.Errorf("s3object: %w", err)
}

func join(sentinel, cause error) error { return fmt.Errorf("%w: %w", sentinel, cause) }

func status(err error) int {
	if re, ok := errors.AsType[*smithyhttp.ResponseError](err); ok {
		return re.HTTPStatusCode()
	}
	return 0
}

func apiCode(err error) string {
	if ae, ok := errors.AsType[smithy.APIError](err); ok {
		return ae.ErrorCode()
	}
	return ""
}
