package s3object

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
)

// maxCopy is the largest object that CopyObject accepts, in bytes.
const maxCopy = 5 << 30

// Copy implements [object.Copier] with the client of s. It returns
// errors.ErrUnsupported for a copy that must not overwrite, unless
// Options.ConditionalCopy is set. Tags are copied, the user's metadata is not.
func (d *driver) Copy(ctx context.Context, s scope.Scope, from, to object.Addr,
	o object.PutOptions) (object.Info, error) {
	if err := s.Require(); err != nil {
		return object.Info{}, fmt.Errorf("s3object: copy: %w", err)
	}
	if !o.Overwrite && !d.canCopy {
		return object.Info{}, fmt.Errorf("s3object: conditional copy: %w", errors.ErrUnsupported)
	}
	if o.Size > maxCopy {
		return object.Info{}, fmt.Errorf("%w: copy: must be at most %d bytes", object.ErrTooLarge, int64(maxCopy))
	}
	for _, a := range []object.Addr{from, to} {
		if err := d.checkBucket(a); err != nil {
			return object.Info{}, err
		}
	}
	c, err := d.chooseClient(ctx, s)
	if err != nil {
		return object.Info{}, err
	}
	in := &s3.CopyObjectInput{
		Bucket: &d.bucket, Key: aws.String(to.Key()), ContentType: stringOrNil(o.Type),
		CopySource: aws.String(formatCopySource(from)), CopySourceIfMatch: stringOrNil(from.ETag()),
		ExpectedBucketOwner: d.owner, ExpectedSourceBucketOwner: d.owner,
		MetadataDirective: types.MetadataDirectiveReplace, // otherwise S3 keeps the type of from
	}
	switch {
	case o.IfMatch != "":
		in.IfMatch = &o.IfMatch
	case !o.Overwrite:
		in.IfNoneMatch = aws.String("*")
	}
	out, err := c.CopyObject(ctx, in)
	if err != nil {
		return object.Info{}, d.mapCopyError(ctx, c, from, err, o)
	}
	info := object.Info{Size: o.Size, Version: versionID(out.VersionId), Type: o.Type}
	if r := out.CopyObjectResult; r != nil {
		info.ETag, info.Modified = aws.ToString(r.ETag), aws.ToTime(r.LastModified)
		info.SHA256 = parseSHA256(r.ChecksumSHA256)
	}
	return info, nil
}

// mapCopyError distinguishes the two preconditions. A 412 does not tell which of
// them failed, so if both were sent, it asks for the source again.
func (d *driver) mapCopyError(ctx context.Context, c Client, from object.Addr, err error, o object.PutOptions) error {
	if httpStatus(err) != http.StatusPreconditionFailed || o.IfMatch != "" || o.Overwrite {
		return d.mapError(ctx, c, from, err)
	}
	if from.ETag() != "" {
		_, head := c.HeadObject(ctx, &s3.HeadObjectInput{
			Bucket: &d.bucket, Key: aws.String(from.Key()), IfMatch: aws.String(from.ETag()), ExpectedBucketOwner: d.owner,
		})
		if head != nil {
			return d.mapError(ctx, c, from, head)
		}
	}
	return wrapError(object.ErrExists, err)
}

// formatCopySource returns bucket/key?versionId=… for the header, percent-encoded
// and with %20 for a space.
func formatCopySource(a object.Addr) string {
	parts := strings.Split(a.Key(), "/")
	for i, p := range parts {
		parts[i] = strings.ReplaceAll(url.QueryEscape(p), "+", "%20")
	}
	source := a.Bucket() + "/" + strings.Join(parts, "/")
	if a.Version() != "" {
		source += "?versionId=" + url.QueryEscape(a.Version())
	}
	return source
}
