package presigntest

import (
	"context"
	"errors"
	"io"
	"strconv"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/valyala/fasthttp"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/s3api/middlewares"
	"github.com/versity/versitygw/s3err"
	"github.com/versity/versitygw/s3response"
)

// backendLimits adds three guarantees to the storage. An object has at most maxObject bytes, unless that is 0. An
// object or part is stored only after its whole request has arrived. Deleting an object does not disturb storing
// another. Every object passes through one of its methods.
type backendLimits struct {
	*posix.Posix

	maxObject int64

	// dirs is held exclusively by deletions, which remove empty directories (versitygw 1.8.0), and shared by methods
	// that create directories and then put an object there. It is never held while a client sends.
	dirs sync.RWMutex
}

func (b *backendLimits) PutObject(
	ctx context.Context, in s3response.PutObjectInput,
) (s3response.PutObjectOutput, error) {
	if err := b.checkSize(in.ContentLength); err != nil {
		return s3response.PutObjectOutput{}, err
	}
	if body := newWholeBody(ctx, in.Body); body != nil {
		locked := false
		body.arrived = func() {
			b.dirs.RLock()
			locked = true
		}
		defer func() {
			if locked {
				b.dirs.RUnlock()
			}
		}()
		in.Body = body
	}
	return b.Posix.PutObject(ctx, in)
}

func (b *backendLimits) CopyObject(
	ctx context.Context, in s3response.CopyObjectInput,
) (s3response.CopyObjectOutput, error) {
	b.dirs.RLock()
	defer b.dirs.RUnlock()
	return b.Posix.CopyObject(ctx, in)
}

func (b *backendLimits) DeleteObject(ctx context.Context, in *s3.DeleteObjectInput) (*s3.DeleteObjectOutput, error) {
	b.dirs.Lock()
	defer b.dirs.Unlock()
	return b.Posix.DeleteObject(ctx, in)
}

func (b *backendLimits) DeleteObjects(ctx context.Context, in *s3.DeleteObjectsInput) (s3response.DeleteResult, error) {
	b.dirs.Lock()
	defer b.dirs.Unlock()
	return b.Posix.DeleteObjects(ctx, in)
}

func (b *backendLimits) UploadPart(ctx context.Context, in *s3.UploadPartInput) (*s3.UploadPartOutput, error) {
	if err := b.checkSize(in.ContentLength); err != nil {
		return nil, err
	}
	part := *in
	if body := newWholeBody(ctx, in.Body); body != nil {
		part.Body = body
	}
	return b.Posix.UploadPart(ctx, &part)
}

func (b *backendLimits) CompleteMultipartUpload(
	ctx context.Context, in *s3.CompleteMultipartUploadInput,
) (s3response.CompleteMultipartUploadResult, string, error) {
	if b.maxObject > 0 {
		size, err := b.sizeOfParts(ctx, in)
		if err == nil {
			err = b.checkSize(&size)
		}
		if err != nil {
			return s3response.CompleteMultipartUploadResult{}, "", err
		}
	}
	b.dirs.RLock()
	defer b.dirs.RUnlock()
	return b.Posix.CompleteMultipartUpload(ctx, in)
}

func (b *backendLimits) checkSize(size *int64) error {
	if n := aws.ToInt64(size); b.maxObject > 0 && n > b.maxObject {
		return s3err.GetEntityTooLargeErr(n, b.maxObject)
	}
	return nil
}

// sizeOfParts returns the total size of the uploaded parts in bytes.
func (b *backendLimits) sizeOfParts(ctx context.Context, in *s3.CompleteMultipartUploadInput) (int64, error) {
	list := &s3.ListPartsInput{Bucket: in.Bucket, Key: in.Key, UploadId: in.UploadId, MaxParts: aws.Int32(1000)}
	var size int64
	for {
		page, err := b.ListParts(ctx, list)
		if err != nil {
			return 0, err
		}
		for _, p := range page.Parts {
			size += p.Size
		}
		if !page.IsTruncated {
			return size, nil
		}
		list.PartNumberMarker = aws.String(strconv.Itoa(page.NextPartNumberMarker))
	}
}

// wholeBody reads an object's bytes from a request. It returns io.EOF only after the request itself has arrived whole,
// even if its body continues after the object: a form has a closing boundary, and a length may promise more.
type wholeBody struct {
	io.Reader

	request io.Reader // the request's body; nil if its length is unknown
	done    bool      // the request has arrived
	arrived func()    // called when the request has arrived, if not nil
}

func newWholeBody(ctx context.Context, body io.Reader) *wholeBody {
	if body == nil {
		return nil
	}
	return &wholeBody{Reader: body, request: requestBody(ctx)}
}

// requestBody returns the body of the request that a storage method is called for, or nil if its length is unknown.
func requestBody(ctx context.Context) io.Reader {
	if rc, ok := ctx.(*fasthttp.RequestCtx); ok && rc.Request.Header.ContentLength() > 0 {
		return rc.Request.BodyStream()
	}
	return nil
}

func (w *wholeBody) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	if err == io.EOF && !w.done { //nolint:errorlint // as io.Reader has it
		if err = w.rest(); err == io.EOF && w.arrived != nil { //nolint:errorlint // as io.Reader has it
			w.arrived()
		}
		w.done = true
	}
	if err == nil || err == io.EOF { //nolint:errorlint // as io.Reader has it
		return n, err
	}
	if _, ok := errors.AsType[s3err.S3Error](err); ok {
		return n, err
	}
	return n, s3err.GetAPIError(s3err.ErrIncompleteBody)
}

// rest reads the request after the object's bytes, and returns io.EOF when it has arrived whole.
func (w *wholeBody) rest() error {
	if w.request != nil {
		if _, err := io.Copy(io.Discard, w.request); err != nil {
			return err
		}
	}
	return io.EOF
}

// Algorithm and Checksum return the values from the body's trailer. The storage calls them by type assertion.
func (w *wholeBody) Algorithm() string {
	if c, ok := w.Reader.(middlewares.ChecksumReader); ok {
		return c.Algorithm()
	}
	return ""
}

// Checksum is documented at Algorithm.
func (w *wholeBody) Checksum() string {
	if c, ok := w.Reader.(middlewares.ChecksumReader); ok {
		return c.Checksum()
	}
	return ""
}
