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
	// and reads the whole object if the store does not have one.
	SHA256 []byte

	// DeleteRejected deletes an object that fails one of these checks, exactly
	// the one that was checked, through the signer's bucket; its credentials
	// must allow that (credential.Agent|credential.Cleaner). The client can then
	// use its grant again until it expires, so call Arrived for a later event of
	// the same key as well. Default: false.
	DeleteRejected bool
}

// Arrived verifies that a file of the session has been uploaded and is as o
// states. It returns the Info and a Ref pinned to the object by version or ETag,
// so later reads return the verified bytes or fail.
//
// It returns ErrNotArrived if the object does not exist. If the store refuses to
// tell, a list of exactly that key decides (see s3object). It returns a
// *[RejectedError] if the object fails a check of o, and ErrInvalid if o is
// malformed. After any other error the upload may or may not have arrived.
func (s *Signer) Arrived(ctx context.Context, session scope.Scope, name string,
	o *ArrivedOptions) (_ object.Ref, _ object.Info, err error) {
	defer wrapError("arrived", &err)
	want := valueOf(o)
	refOf := s.sessionRef
	if want.DeleteRejected {
		refOf = s.uploadRef
	}
	root, ref, err := refOf(session, name)
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
		err = want.matchObject(ctx, root, ref, info)
	}
	if rejected, ok := errors.AsType[*RejectedError](err); ok && want.DeleteRejected {
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
		return invalidf("size limit %d: must be at least 0", o.MaxSize)
	case o.Size < 0:
		return invalidf("size %d: must be at least 0", o.Size)
	}
	return checkDigest(o.SHA256)
}

// matchObject returns a *RejectedError if the object at ref is not as o states. It
// checks the cheap conditions first, so Size and MaxSize bound a read.
func (o ArrivedOptions) matchObject(ctx context.Context, root *object.Root, ref object.Ref, info object.Info) error {
	reject := func(reason error, format string, args ...any) error {
		return &RejectedError{Ref: ref, Info: info, Err: fmt.Errorf("%w: %s", reason, fmt.Sprintf(format, args...))}
	}
	if o.MaxSize > 0 && info.Size > o.MaxSize {
		return reject(ErrTooLarge, "%d bytes, must be at most %d", info.Size, o.MaxSize)
	}
	if o.Size > 0 && info.Size != o.Size {
		return reject(ErrMismatch, "%d bytes, must be %d", info.Size, o.Size)
	}
	if o.SHA256 == nil {
		return nil
	}
	sum := info.SHA256
	if sum == nil {
		var err error
		if sum, err = hashObject(ctx, root, ref); err != nil {
			return err
		}
	}
	if !bytes.Equal(sum, o.SHA256) {
		return reject(ErrMismatch, "SHA-256 %x, must be %x", sum, o.SHA256)
	}
	return nil
}

// hashObject reads the object and returns its SHA-256. ref is pinned, so all the
// bytes are of one object.
func hashObject(ctx context.Context, root *object.Root, ref object.Ref) ([]byte, error) {
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
