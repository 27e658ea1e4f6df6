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

// mapError maps the error of a request for one object. S3 can answer 403 for a
// missing object, so a list decides then.
func (d *driver) mapError(ctx context.Context, c Client, a object.Addr, err error) error {
	mapped := mapAddrError(a, err)
	if !errors.Is(mapped, object.ErrDenied) {
		return mapped
	}
	// The key sorts before all keys that it is a prefix of.
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

// mapAddrError maps the error of a request for a. S3 answers 400 for a malformed
// version.
func mapAddrError(a object.Addr, err error) error {
	code := apiErrorCode(err)
	if a.Version() != "" && httpStatus(err) == http.StatusBadRequest &&
		(code == "InvalidArgument" || code == "BadRequest") {
		return wrapError(object.ErrChanged, err)
	}
	return mapCommonError(err)
}

// mapPutError maps the error of a put. The meaning of a 412 depends on o.
func mapPutError(err error, o object.PutOptions) error {
	if httpStatus(err) == http.StatusPreconditionFailed && o.IfMatch == "" {
		return wrapError(object.ErrExists, err)
	}
	return mapCommonError(err)
}

// mapCommonError wraps an error of the SDK with the matching sentinel: by status,
// which is all that the answer to a HEAD has, and by code if a status has two
// meanings.
// See https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html.
func mapCommonError(err error) error {
	if err == nil {
		return nil
	}
	switch code := apiErrorCode(err); httpStatus(err) {
	case http.StatusNotFound:
		if code != "NoSuchBucket" {
			return wrapError(object.ErrNotFound, err)
		}
	case http.StatusForbidden:
		if code == "" || code == "AccessDenied" || code == "Forbidden" || code == "AllAccessDisabled" {
			return wrapError(object.ErrDenied, err)
		}
	case http.StatusPreconditionFailed:
		return wrapError(object.ErrChanged, err)
	case http.StatusConflict:
		if code == "ConditionalRequestConflict" || code == "OperationAborted" {
			return wrapError(object.ErrConflict, err)
		}
	case http.StatusRequestedRangeNotSatisfiable:
		return wrapError(object.ErrRange, err)
	case http.StatusBadRequest:
		if code == "EntityTooLarge" {
			return wrapError(object.ErrTooLarge, err)
		}
	}
	return fmt.Errorf("s3object: %w", err)
}

func wrapError(sentinel, cause error) error { return fmt.Errorf("%w: %w", sentinel, cause) }

func httpStatus(err error) int {
	if re, ok := errors.AsType[*smithyhttp.ResponseError](err); ok {
		return re.HTTPStatusCode()
	}
	return 0
}

func apiErrorCode(err error) string {
	if ae, ok := errors.AsType[smithy.APIError](err); ok {
		return ae.ErrorCode()
	}
	return ""
}
