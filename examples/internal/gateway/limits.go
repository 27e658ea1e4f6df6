package gateway

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

// backendLimits is the storage with three promises more: an object has at most maxObject bytes (if that is not 0), an
// object or part is stored only after its whole request has arrived, and deleting an object does not disturb storing
// another. Every object comes by one of its methods.
type backendLimits struct {
	*posix.Posix

	maxObject int64

	// dirs is held by deletions, which remove directories that have become empty (versitygw 1.8.0), and shared by what
	// makes directories and then puts an object there. Nobody holds it while a client sends.
	dirs sync.RWMutex
}

func (b *backendLimits) PutObject(
	ctx context.Context, in s3response.PutObjectInput,
) (s3response.PutObjectOutput, error) {
	if err := b.checkSize(in.ContentLength); err != nil {
		b.discard(ctx)
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
		b.discard(ctx)
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

// discard reads as much of a rejected body as an accepted one may have. A client whose body is not much larger then
// sees the answer; otherwise it sees its connection closed, as most clients read only after they have written.
func (b *backendLimits) discard(ctx context.Context) {
	if body := requestBody(ctx); body != nil {
		_, _ = io.CopyN(io.Discard, body, b.maxObject)
	}
}

// sizeOfParts returns the bytes of the parts that have been uploaded.
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

// wholeBody reads an object's bytes from a request. Its io.EOF says that the request itself has arrived whole, also
// where its body ends after the object's bytes: a form has a closing boundary, and a length that may promise more.
type wholeBody struct {
	io.Reader

	request io.Reader // the request's body; nil if its length is unknown
	done    bool      // the request has arrived
	arrived func()    // called then, if not nil
}

func newWholeBody(ctx context.Context, body io.Reader) *wholeBody {
	if body == nil {
		return nil
	}
	return &wholeBody{Reader: body, request: requestBody(ctx)}
}

// requestBody returns the body of the request that a method of the storage is called for; nil if its length is not
// known.
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

// rest reads what follows the object's bytes in the request, and returns io.EOF if that has arrived.
func (w *wholeBody) rest() error {
	if w.request != nil {
		if _, err := io.Copy(io.Discard, w.request); err != nil {
			return err
		}
	}
	return io.EOF
}

// Algorithm and Checksum return what a trailer of the body has said. The storage asks for them by type.
func (w *wholeBody) Algorithm() string {
	if c, ok := w.Reader.(middlewares.ChecksumReader); ok {
		return c.Algorithm()
	}
	return ""
}

// Checksum is described at Algorithm.
func (w *wholeBody) Checksum() string {
	if c, ok := w.Reader.(middlewares.ChecksumReader); ok {
		return c.Checksum()
	}
	return ""
}
