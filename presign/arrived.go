package presign

import (
	"context"
	"errors"
	"fmt"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
)

// ArrivedOptions say what an upload has to be. Nil is valid.
type ArrivedOptions struct {
	MaxSize int64 // bytes; default 0, no limit. Needed where the grant did not sign a length
}

// Arrived proves that a file of the session has been uploaded. It returns a
// Ref pinned to what is there, by its version or its ETag, so that what reads
// through it later reads the bytes that were proven; and the Info, with the
// length and, where the upload carried one, the SHA-256 that S3 has checked.
//
// ErrNotArrived means that there is none: absence is proven as well, by a list
// of exactly that key where the store refuses to tell (see s3object). A
// *[TooLargeError] means that there is one over MaxSize. Any other error proves
// nothing.
func (s *Signer) Arrived(ctx context.Context, session scope.Scope, name string, o *ArrivedOptions) (object.Ref, object.Info, error) {
	root, ref, err := s.ref(session, name)
	if err != nil {
		return object.Ref{}, object.Info{}, fmt.Errorf("presign: arrived: %w", err)
	}
	ref, info, err := root.Stat(ctx, ref)
	if errors.Is(err, object.ErrNotFound) {
		return object.Ref{}, object.Info{}, fmt.Errorf("%w: %w", ErrNotArrived, err)
	}
	if err != nil {
		return object.Ref{}, object.Info{}, fmt.Errorf("presign: arrived: %w", err)
	}
	if o != nil && o.MaxSize > 0 && info.Size > o.MaxSize {
		return object.Ref{}, object.Info{}, &TooLargeError{Ref: ref, Info: info, Max: o.MaxSize}
	}
	return ref, info, nil
}
