package presign

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
)

// ArrivedOptions states what an upload must be. Nil accepts any object.
type ArrivedOptions struct {
	// MaxSize is the largest accepted object in bytes. Zero means no limit. Set
	// it if the grant did not sign a length.
	MaxSize int64

	// Size is the exact length in bytes. Zero means any length.
	Size int64

	// SHA256 is the digest of the content, 32 bytes. If nil, the content is not
	// checked. Arrived compares it with the digest that the store has checked,
	// and reads the whole object if the store does not know one.
	SHA256 []byte

	// DeleteRejected deletes an object that fails one of these checks, exactly
	// the one that was looked at, through the signer's bucket; its credentials
	// must allow that (credential.Agent|credential.Cleaner). The client can then
	// use its grant again until it expires, so call Arrived for a later event of
	// the same key as well. Default: false.
	DeleteRejected bool
}

// Arrived proves that a file of the session has been uploaded and is what o
// says. It returns a Ref pinned to the object, by version or ETag, so later
// reads return the bytes that were proven or fail; and the Info.
//
// It returns ErrNotArrived if there is no object: absence is proven as well, by
// a list of exactly that key if the store refuses to tell (see s3object). It
// returns a *[RejectedError] if there is an object that fails a check of o.
// ErrInvalid reports malformed options. Any other error proves nothing.
func (s *Signer) Arrived(ctx context.Context, session scope.Scope, name string, o *ArrivedOptions) (object.Ref, object.Info, error) {
	var want ArrivedOptions
	if o != nil {
		want = *o
	}
	ref, info, err := s.arrived(ctx, session, name, want)
	if _, rejected := errors.AsType[*RejectedError](err); err != nil && !rejected && !errors.Is(err, ErrNotArrived) {
		err = fmt.Errorf("presign: arrived: %w", err)
	}
	return ref, info, err
}

func (s *Signer) arrived(ctx context.Context, session scope.Scope, name string, want ArrivedOptions) (object.Ref, object.Info, error) {
	find := s.ref
	if want.DeleteRejected {
		find = s.uploadRef
	}
	root, ref, err := find(session, name)
	if err != nil {
		return object.Ref{}, object.Info{}, err
	}
	if err := want.check(); err != nil {
		return object.Ref{}, object.Info{}, err
	}
	ref, info, err := root.Stat(ctx, ref)
	if errors.Is(err, object.ErrNotFound) {
		return object.Ref{}, object.Info{}, fmt.Errorf("%w: %w", ErrNotArrived, err)
	}
	if err == nil {
		err = want.match(ctx, root, ref, info)
	}
	rejected, ok := errors.AsType[*RejectedError](err)
	if ok && want.DeleteRejected {
		rejected.DeleteErr = root.Delete(ctx, ref)
		rejected.Deleted = rejected.DeleteErr == nil
	}
	if err != nil {
		return object.Ref{}, object.Info{}, err
	}
	return ref, info, nil
}

func (o ArrivedOptions) check() error {
	switch {
	case o.MaxSize < 0:
		return invalid("size limit %d: must be at least 0", o.MaxSize)
	case o.Size < 0:
		return invalid("size %d: must be at least 0", o.Size)
	}
	return checkDigest(o.SHA256)
}

// match returns a *RejectedError if the object at ref is not what o says. It
// checks the cheap conditions first, so a read is bounded by Size and MaxSize.
func (o ArrivedOptions) match(ctx context.Context, root *object.Root, ref object.Ref, info object.Info) error {
	reject := func(reason error, format string, args ...any) error {
		return &RejectedError{Ref: ref, Info: info, Err: fmt.Errorf("%w: %s", reason, fmt.Sprintf(format, args...))}
	}
	if o.MaxSize > 0 && info.Size > o.MaxSize {
		return reject(ErrTooLarge, "%d bytes, at most %d are accepted", info.Size, o.MaxSize)
	}
	if o.Size > 0 && info.Size != o.Size {
		return reject(ErrSize, "%d bytes, want %d", info.Size, o.Size)
	}
	if o.SHA256 == nil {
		return nil
	}
	sum := info.SHA256
	if sum == nil {
		var err error
		if sum, err = digest(ctx, root, ref); err != nil {
			return err
		}
	}
	if !bytes.Equal(sum, o.SHA256) {
		return reject(ErrDigest, "%x, want %x", sum, o.SHA256)
	}
	return nil
}

// digest reads the object and returns its SHA-256. ref is pinned, so the bytes
// are those of one object.
func digest(ctx context.Context, root *object.Root, ref object.Ref) ([]byte, error) {
	body, info, err := root.Open(ctx, ref, nil)
	if err != nil {
		return nil, err
	}
	h := sha256.New()
	n, err := io.Copy(h, body)
	if err := errors.Join(err, body.Close()); err != nil {
		return nil, fmt.Errorf("read %q: %w", ref.Name(), err)
	}
	if n != info.Size {
		return nil, fmt.Errorf("read %q: %d of %d bytes: %w", ref.Name(), n, info.Size, io.ErrUnexpectedEOF)
	}
	return h.Sum(nil), nil
}
