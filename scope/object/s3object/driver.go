package s3object

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/carrel-go/carrel/internal/awsname"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
)

const defaultSpool = 8 << 20

// Options configures [Open] and [New]. Nil is valid.
type Options struct {
	// Bucket configures the Bucket that Open returns. New ignores it.
	Bucket object.Options

	// For returns the client, and with it the credentials, for a scope. It must
	// be safe for concurrent use; its errors are returned unchanged. If nil, the
	// client of Open or New serves every scope.
	For func(context.Context, scope.Scope) (Client, error)

	// BucketOwner is the id of the account that owns the bucket, 12 digits. S3
	// answers every request with 403 if another account owns it, for example
	// because the bucket was deleted and its name taken
	// (x-amz-expected-bucket-owner). If empty, the owner is not checked.
	BucketOwner string

	// Spool is the largest body in bytes that Put buffers in memory because it is not
	// an io.Seeker. The SDK reads a body again to sign and to retry. For a longer body
	// Put returns ErrTooLarge. Zero means 8 MiB.
	Spool int64

	// ConditionalCopy states that the server honors If-None-Match and If-Match of
	// a CopyObject, as S3 does. Other servers ignore the headers silently, and a
	// copy could replace an object. If false, only copies that overwrite are made
	// inside the store; all others stream through the process. Default: false.
	ConditionalCopy bool
}

// driver is an [object.Driver] of one S3 bucket.
type driver struct {
	bucket  string
	choose  func(context.Context, scope.Scope) (Client, error)
	owner   *string // account of the bucket; nil if unchecked
	spool   int64
	canCopy bool // conditionally
}

var (
	_ object.Driver = (*driver)(nil)
	_ object.Copier = (*driver)(nil)
)

// Open returns the S3 bucket with that name, which must be a general purpose
// bucket. It does not call S3. The client may be nil if Options.For is set. It
// returns [object.ErrInvalid] for an invalid name or option.
func Open(c Client, name string, o *Options) (*object.Bucket, error) {
	d, err := New(c, name, o)
	if err != nil {
		return nil, err
	}
	if o == nil {
		o = &Options{}
	}
	return object.New(d, name, &o.Bucket)
}

// New returns the driver of a bucket, to be wrapped or to be tested with
// objecttest. Its arguments and errors are those of [Open]. The object.Bucket of
// the driver must have the same name.
func New(c Client, bucket string, o *Options) (object.Driver, error) {
	if err := awsname.CheckBucket(bucket); err != nil {
		return nil, invalidError(err)
	}
	d := &driver{bucket: bucket, spool: defaultSpool}
	if o != nil {
		if o.BucketOwner != "" {
			if err := awsname.CheckAccount(o.BucketOwner); err != nil {
				return nil, invalidError(fmt.Errorf("bucket owner: %w", err))
			}
		}
		d.choose, d.canCopy, d.owner = o.For, o.ConditionalCopy, stringOrNil(o.BucketOwner)
		if o.Spool < 0 {
			return nil, invalidError(fmt.Errorf("spool %d: must be at least 0", o.Spool))
		}
		d.spool = cmp.Or(o.Spool, defaultSpool)
	}
	if d.choose == nil {
		if c == nil {
			return nil, invalidError(errors.New("client: must not be nil without Options.For"))
		}
		d.choose = func(context.Context, scope.Scope) (Client, error) { return c, nil }
	}
	return d, nil
}

func invalidError(err error) error { return fmt.Errorf("s3object: %w %w", object.ErrInvalid, err) }

// clientFor returns the client for the object's scope. It checks that the
// object.Bucket has the name of the driver's bucket.
func (d *driver) clientFor(ctx context.Context, a object.Addr) (Client, error) {
	if err := a.Scope().Require(); err != nil {
		return nil, fmt.Errorf("s3object: %w", err)
	}
	if err := d.checkBucket(a); err != nil {
		return nil, err
	}
	return d.chooseClient(ctx, a.Scope())
}

// chooseClient returns the client of s, which is not nil.
func (d *driver) chooseClient(ctx context.Context, s scope.Scope) (Client, error) {
	c, err := d.choose(ctx, s)
	if err == nil && c == nil {
		err = invalidError(errors.New("client: Options.For returned nil"))
	}
	return c, err
}

func (d *driver) checkBucket(a object.Addr) error {
	if a.Bucket() != d.bucket {
		return invalidError(fmt.Errorf("name of the object.Bucket %q: must be the driver's bucket, %q", a.Bucket(), d.bucket))
	}
	return nil
}

func (d *driver) Open(ctx context.Context, a object.Addr, r object.Range) (io.ReadCloser, object.Info, error) {
	c, err := d.clientFor(ctx, a)
	if err != nil {
		return nil, object.Info{}, err
	}
	in := &s3.GetObjectInput{
		Bucket: &d.bucket, Key: aws.String(a.Key()), VersionId: stringOrNil(a.Version()), IfMatch: stringOrNil(a.ETag()),
		ExpectedBucketOwner: d.owner,
	}
	if r != (object.Range{}) {
		in.Range = aws.String(formatRange(r))
	}
	out, err := c.GetObject(ctx, in, func(o *s3.Options) {
		o.DisableLogOutputChecksumValidationSkipped = true // logged for every range, which does not have a checksum
	})
	if err != nil {
		return nil, object.Info{}, d.mapError(ctx, c, a, err)
	}
	info := object.Info{
		Size:     aws.ToInt64(out.ContentLength),
		ETag:     aws.ToString(out.ETag),
		Version:  versionID(out.VersionId),
		Type:     aws.ToString(out.ContentType),
		SHA256:   parseSHA256(out.ChecksumSHA256),
		Modified: aws.ToTime(out.LastModified),
	}
	if in.Range != nil {
		if info.Size, err = parseWholeSize(aws.ToString(out.ContentRange), r); err != nil {
			return nil, object.Info{}, errors.Join(err, out.Body.Close())
		}
	}
	return out.Body, info, nil
}

// Put implements [object.Driver]. A body that is an io.Seeker is sent from its
// current position and may have up to 5 GiB. Another body is buffered, up to
// Options.Spool bytes.
func (d *driver) Put(ctx context.Context, a object.Addr, body io.Reader, o object.PutOptions) (object.Info, error) {
	c, err := d.clientFor(ctx, a)
	if err != nil {
		return object.Info{}, err
	}
	seeker, size, err := makeSeekable(body, d.spool, o.Size)
	if err != nil {
		return object.Info{}, err
	}
	in := &s3.PutObjectInput{
		Bucket: &d.bucket, Key: aws.String(a.Key()), Body: seeker, ContentLength: &size, ContentType: stringOrNil(o.Type),
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
		return object.Info{}, mapPutError(err, o)
	}
	return object.Info{
		Size:    size,
		ETag:    aws.ToString(out.ETag),
		Version: versionID(out.VersionId),
		Type:    o.Type,
		SHA256:  parseSHA256(out.ChecksumSHA256),
	}, nil
}

func (d *driver) Stat(ctx context.Context, a object.Addr) (object.Info, error) {
	c, err := d.clientFor(ctx, a)
	if err != nil {
		return object.Info{}, err
	}
	out, err := c.HeadObject(ctx, &s3.HeadObjectInput{
		Bucket: &d.bucket, Key: aws.String(a.Key()), VersionId: stringOrNil(a.Version()), IfMatch: stringOrNil(a.ETag()),
		ChecksumMode: types.ChecksumModeEnabled, ExpectedBucketOwner: d.owner,
	})
	if err != nil {
		return object.Info{}, d.mapError(ctx, c, a, err)
	}
	return object.Info{
		Size:     aws.ToInt64(out.ContentLength),
		ETag:     aws.ToString(out.ETag),
		Version:  versionID(out.VersionId),
		Type:     aws.ToString(out.ContentType),
		SHA256:   parseSHA256(out.ChecksumSHA256),
		Modified: aws.ToTime(out.LastModified),
	}, nil
}

func (d *driver) List(ctx context.Context, s scope.Scope, after string, limit int) ([]object.Entry, bool, error) {
	if err := s.Require(); err != nil {
		return nil, false, fmt.Errorf("s3object: list: %w", err)
	}
	c, err := d.chooseClient(ctx, s)
	if err != nil {
		return nil, false, err
	}
	out, err := c.ListObjectsV2(ctx, &s3.ListObjectsV2Input{
		Bucket: &d.bucket, Prefix: aws.String(s.Prefix()), StartAfter: stringOrNil(after), MaxKeys: aws.Int32(int32(limit)),
		ExpectedBucketOwner: d.owner,
	})
	if err != nil {
		return nil, false, mapCommonError(err)
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
// delete leaves a delete marker.
func (d *driver) Delete(ctx context.Context, a object.Addr) error {
	c, err := d.clientFor(ctx, a)
	if err != nil {
		return err
	}
	_, err = c.DeleteObject(ctx, &s3.DeleteObjectInput{
		Bucket: &d.bucket, Key: aws.String(a.Key()), VersionId: stringOrNil(a.Version()), IfMatch: stringOrNil(a.ETag()),
		ExpectedBucketOwner: d.owner,
	})
	if err == nil {
		return nil
	}
	if err = mapAddrError(a, err); errors.Is(err, object.ErrNotFound) {
		return nil
	}
	return err
}

func stringOrNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// versionID returns the version id, or "" for "null", the version of a bucket
// whose versioning is suspended.
func versionID(id *string) string {
	if v := aws.ToString(id); v != "null" {
		return v
	}
	return ""
}

// formatRange returns r in the syntax of RFC 9110, section 14.1.2.
func formatRange(r object.Range) string {
	h := "bytes=" + strconv.FormatInt(r.Off, 10) + "-"
	if r.Len > 0 && r.Off <= maxInt64-r.Len { // otherwise it would overflow, and the object ends before
		h += strconv.FormatInt(r.Off+r.Len-1, 10)
	}
	return h
}

const maxInt64 = 1<<63 - 1

// parseWholeSize returns the object's size from "bytes 3-6/10". It rejects an
// answer for another range.
func parseWholeSize(contentRange string, r object.Range) (int64, error) {
	span, size, ok := strings.Cut(strings.TrimPrefix(contentRange, "bytes "), "/")
	first, _, _ := strings.Cut(span, "-")
	off, err1 := strconv.ParseInt(first, 10, 64)
	n, err2 := strconv.ParseInt(size, 10, 64)
	if !ok || err1 != nil || err2 != nil || off != r.Off {
		return 0, fmt.Errorf("s3object: requested %s, received Content-Range %q", formatRange(r), contentRange)
	}
	return n, nil
}
