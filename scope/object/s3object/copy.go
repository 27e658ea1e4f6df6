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

// maxCopy is the largest object that CopyObject takes, in bytes.
const maxCopy = 5 << 30

// Copy implements [object.Copier], by the client that Options.For has for s. A
// copy that must not overwrite is an errors.ErrUnsupported unless
// Options.ConditionalCopy is set. The user's metadata is not copied; tags are.
func (d *Driver) Copy(ctx context.Context, s scope.Scope, from, to object.Addr, o object.PutOptions) (object.Info, error) {
	if err := s.Require(); err != nil {
		return object.Info{}, fmt.Errorf("s3object: copy: %w", err)
	}
	if !o.Overwrite && !d.copies {
		return object.Info{}, fmt.Errorf("s3object: a copy with a condition: %w", errors.ErrUnsupported)
	}
	if o.Size > maxCopy {
		return object.Info{}, fmt.Errorf("%w: a copy may have at most %d bytes", object.ErrTooLarge, int64(maxCopy))
	}
	for _, a := range []object.Addr{from, to} {
		if err := d.checkBucket(a); err != nil {
			return object.Info{}, err
		}
	}
	c, err := d.choose(ctx, s)
	if err != nil {
		return object.Info{}, err
	}
	in := &s3.CopyObjectInput{
		Bucket: &d.bucket, Key: aws.String(to.Key()), ContentType: optional(o.Type),
		CopySource: aws.String(copySource(from)), CopySourceIfMatch: optional(from.ETag()),
		ExpectedBucketOwner: d.owner, ExpectedSourceBucketOwner: d.owner,
		MetadataDirective: types.MetadataDirectiveReplace, // without it the type would be that of from
	}
	switch {
	case o.IfMatch != "":
		in.IfMatch = &o.IfMatch
	case !o.Overwrite:
		in.IfNoneMatch = aws.String("*")
	}
	out, err := c.CopyObject(ctx, in)
	if err != nil {
		return object.Info{}, d.mapCopy(ctx, c, from, err, o)
	}
	info := object.Info{Size: o.Size, Version: version(out.VersionId), Type: o.Type}
	if r := out.CopyObjectResult; r != nil {
		info.ETag, info.Modified, info.SHA256 = aws.ToString(r.ETag), aws.ToTime(r.LastModified), sha256Of(r.ChecksumSHA256)
	}
	return info, nil
}

// mapCopy tells the two preconditions apart: a 412 does not say which of them
// failed, so where both were sent the source is asked again.
func (d *Driver) mapCopy(ctx context.Context, c Client, from object.Addr, err error, o object.PutOptions) error {
	if status(err) != http.StatusPreconditionFailed || o.IfMatch != "" || o.Overwrite {
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
	return join(object.ErrExists, err)
}

// copySource writes bucket/key?versionId=… as the header wants it: in
// percent-encoding, with a space that is no plus.
func copySource(a object.Addr) string {
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
