package s3object

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
)

// DefaultSpool is how many bytes of a body that can't seek are held in memory.
const DefaultSpool = 8 << 20

// Options configure a [Driver]. Nil is valid.
type Options struct {
	// For chooses the client, and with it the credentials, for a scope.
	// Default: the client given to New, for every scope. It must be safe for
	// concurrent use; its errors are returned as they are.
	For func(context.Context, scope.Scope) (Client, error)

	// BucketOwner is the id of the account that owns the bucket, 12 digits. S3
	// refuses every request with 403 if another account owns it, such as one
	// that has made the bucket anew after it was deleted
	// (x-amz-expected-bucket-owner). If empty, the owner is not checked.
	BucketOwner string

	// Spool is how many bytes of a body that is no io.Seeker are read into
	// memory, so that it can be signed, sent and sent again; a longer one is
	// ErrTooLarge. A body that can seek is never held in memory. Default: DefaultSpool.
	Spool int64

	// ConditionalCopy says that the server holds a CopyObject to its
	// If-None-Match and If-Match. S3 does; servers that don't know these headers
	// there ignore them in silence, and a copy would replace what it must not.
	// Where it is false, copies that overwrite are made inside the store and all
	// others stream through the process. Default: false.
	ConditionalCopy bool
}

// Driver is an [object.Driver] on one S3 bucket.
type Driver struct {
	bucket string
	choose func(context.Context, scope.Scope) (Client, error)
	owner  *string // of the bucket; nil if it is not checked
	spool  int64
	copies bool // with conditions
}

var (
	_ object.Driver = (*Driver)(nil)
	_ object.Copier = (*Driver)(nil)
)

// New returns the driver of the bucket with that name, which must be one that
// [CheckBucket] accepts.
func New(c Client, bucket string, o *Options) (*Driver, error) {
	if err := CheckBucket(bucket); err != nil {
		return nil, fmt.Errorf("s3object: new: %w", err)
	}
	d := &Driver{bucket: bucket, spool: DefaultSpool}
	if o != nil {
		if err := checkOwner(o.BucketOwner); err != nil {
			return nil, fmt.Errorf("s3object: new: %w", err)
		}
		d.choose, d.copies, d.owner = o.For, o.ConditionalCopy, optional(o.BucketOwner)
		if o.Spool > 0 {
			d.spool = o.Spool
		}
	}
	if d.choose == nil {
		if c == nil {
			return nil, fmt.Errorf("s3object: new: %w: neither a client nor Options.For", object.ErrInvalid)
		}
		d.choose = func(context.Context, scope.Scope) (Client, error) { return c, nil }
	}
	return d, nil
}

// client returns the client for the object's scope. It checks that the
// object.Bucket has the name of the driver's bucket.
func (d *Driver) client(ctx context.Context, a object.Addr) (Client, error) {
	if err := a.Scope().Require(); err != nil {
		return nil, fmt.Errorf("s3object: %w", err)
	}
	if err := d.checkBucket(a); err != nil {
		return nil, err
	}
	return d.choose(ctx, a.Scope())
}

func (d *Driver) checkBucket(a object.Addr) error {
	if a.Bucket() != d.bucket {
		return fmt.Errorf("s3object: %w: the Bucket is named %q and its driver is of %q", object.ErrInvalid, a.Bucket(), d.bucket)
	}
	return nil
}

// Open implements [object.Driver].
func (d *Driver) Open(ctx context.Context, a object.Addr, r object.Range) (io.ReadCloser, object.Info, error) {
	c, err := d.client(ctx, a)
	if err != nil {
		return nil, object.Info{}, err
	}
	in := &s3.GetObjectInput{
		Bucket: &d.bucket, Key: aws.String(a.Key()), VersionId: optional(a.Version()), IfMatch: optional(a.ETag()),
		ExpectedBucketOwner: d.owner,
	}
	if r != (object.Range{}) {
		in.Range = aws.String(rangeHeader(r))
	}
	out, err := c.GetObject(ctx, in, func(o *s3.Options) {
		o.DisableLogOutputChecksumValidationSkipped = true // a range has no checksum: not worth a line each
	})
	if err != nil {
		return nil, object.Info{}, d.mapError(ctx, c, a, err)
	}
	info := object.Info{
		Size:     aws.ToInt64(out.ContentLength),
		ETag:     aws.ToString(out.ETag),
		Version:  version(out.VersionId),
		Type:     aws.ToString(out.ContentType),
		SHA256:   sha256Of(out.ChecksumSHA256),
		Modified: aws.ToTime(out.LastModified),
	}
	if in.Range != nil {
		if info.Size, err = wholeSize(aws.ToString(out.ContentRange), r); err != nil {
			return nil, object.Info{}, errors.Join(err, out.Body.Close())
		}
	}
	return out.Body, info, nil
}

// Put implements [object.Driver]. A body that is an io.Seeker is sent from
// where it stands and may have any size up to 5 GiB; of another one at most
// Options.Spool bytes are read into memory first.
func (d *Driver) Put(ctx context.Context, a object.Addr, body io.Reader, o object.PutOptions) (object.Info, error) {
	c, err := d.client(ctx, a)
	if err != nil {
		return object.Info{}, err
	}
	seeker, size, err := rewindable(body, d.spool, o.Size)
	if err != nil {
		return object.Info{}, err
	}
	in := &s3.PutObjectInput{
		Bucket: &d.bucket, Key: aws.String(a.Key()), Body: seeker, ContentLength: &size, ContentType: optional(o.Type),
		ExpectedBucketOwner: d.owner,
	}
	switch {
	case o.IfMatch != "":
		in.IfMatch = &o.IfMatch
	case !o.Overwrite:
		in.IfNoneMatch = aws.String("*")
	}
	out, err := c.PutObject(ctx, in)
	if err != nil {
		return object.Info{}, mapPut(err, o)
	}
	return object.Info{
		Size:    size,
		ETag:    aws.ToString(out.ETag),
		Version: version(out.VersionId),
		Type:    o.Type,
		SHA256:  sha256Of(out.ChecksumSHA256),
	}, nil
}

// Stat implements [object.Driver].
func (d *Driver) Stat(ctx context.Context, a object.Addr) (object.Info, error) {
	c, err := d.client(ctx, a)
	if err != nil {
		return object.Info{}, err
	}
	out, err := c.HeadObject(ctx, &s3.HeadObjectInput{
		Bucket: &d.bucket, Key: aws.String(a.Key()), VersionId: optional(a.Version()), IfMatch: optional(a.ETag()),
		ChecksumMode: types.ChecksumModeEnabled, ExpectedBucketOwner: d.owner,
	})
	if err != nil {
		return object.Info{}, d.mapError(ctx, c, a, err)
	}
	return object.Info{
		Size:     aws.ToInt64(out.ContentLength),
		ETag:     aws.ToString(out.ETag),
		Version:  version(out.VersionId),
		Type:     aws.ToString(out.ContentType),
		SHA256:   sha256Of(out.ChecksumSHA256),
		Modified: aws.ToTime(out.LastModified),
	}, nil
}

// List implements [object.Driver].
func (d *Driver) List(ctx context.Context, s scope.Scope, after string, limit int) ([]object.Entry, bool, error) {
	if err := s.Require(); err != nil {
		return nil, false, fmt.Errorf("s3object: list: %w", err)
	}
	c, err := d.choose(ctx, s)
	if err != nil {
		return nil, false, err
	}
	out, err := c.ListObjectsV2(ctx, &s3.ListObjectsV2Input{
		Bucket: &d.bucket, Prefix: aws.String(s.Prefix()), StartAfter: optional(after), MaxKeys: aws.Int32(int32(limit)),
		ExpectedBucketOwner: d.owner,
	})
	if err != nil {
		return nil, false, mapStatus(err)
	}
	page := make([]object.Entry, len(out.Contents))
	for i, o := range out.Contents {
		page[i] = object.Entry{Key: aws.ToString(o.Key), Info: object.Info{
			Size: aws.ToInt64(o.Size), ETag: aws.ToString(o.ETag), Modified: aws.ToTime(o.LastModified),
		}}
	}
	return page, aws.ToBool(out.IsTruncated), nil
}

// Delete implements [object.Driver]. In a bucket with versions an unpinned
// delete leaves a delete marker, as S3 has it.
func (d *Driver) Delete(ctx context.Context, a object.Addr) error {
	c, err := d.client(ctx, a)
	if err != nil {
		return err
	}
	_, err = c.DeleteObject(ctx, &s3.DeleteObjectInput{
		Bucket: &d.bucket, Key: aws.String(a.Key()), VersionId: optional(a.Version()), IfMatch: optional(a.ETag()),
		ExpectedBucketOwner: d.owner,
	})
	if err = mapStatus(err); errors.Is(err, object.ErrNotFound) {
		return nil
	}
	return err
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// version returns the version id; "null" is what S3 calls the only one of a
// bucket whose versioning is suspended, and pins nothing.
func version(id *string) string {
	if v := aws.ToString(id); v != "null" {
		return v
	}
	return ""
}

// rangeHeader writes r as RFC 9110, section 14.1.2 has it, last byte included.
func rangeHeader(r object.Range) string {
	h := "bytes=" + strconv.FormatInt(r.Off, 10) + "-"
	if r.Len > 0 && r.Off <= maxInt64-r.Len { // beyond that the object ends first
		h += strconv.FormatInt(r.Off+r.Len-1, 10)
	}
	return h
}

const maxInt64 = 1<<63 - 1

// wholeSize reads the object's size from "bytes 3-6/10". A server that
// answered a range with something else has not done what was asked.
func wholeSize(contentRange string, r object.Range) (int64, error) {
	span, size, ok := strings.Cut(strings.TrimPrefix(contentRange, "bytes "), "/")
	first, _, _ := strings.Cut(span, "-")
	off, err1 := strconv.ParseInt(first, 10, 64)
	n, err2 := strconv.ParseInt(size, 10, 64)
	if !ok || err1 != nil || err2 != nil || off != r.Off {
		return 0, fmt.Errorf("s3object: asked for %s, the answer has Content-Range %q", rangeHeader(r), contentRange)
	}
	return n, nil
}
