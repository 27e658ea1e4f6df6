package presign

import (
	"errors"
	"fmt"

	"github.com/carrel-go/carrel/scope/object"
)

var (
	// ErrInvalid: an option that no grant can be made of. The text says which.
	ErrInvalid = errors.New("presign: invalid")

	// ErrUnsigned: the SDK did not sign what the grant has to promise. It comes
	// of the client's version or middleware, not of the request.
	ErrUnsigned = errors.New("presign: not signed as promised")

	// ErrExpiring: the credentials end in less than MinLife, and refreshing
	// them did not help.
	ErrExpiring = errors.New("presign: the credentials are about to expire")

	// ErrNotArrived: nothing has been uploaded under that name.
	ErrNotArrived = errors.New("presign: not arrived")
)

// TooLargeError: the upload did arrive, and is larger than allowed. It can
// happen only where the grant did not sign a length.
type TooLargeError struct {
	Ref  object.Ref // pinned: what may be deleted
	Info object.Info
	Max  int64 // bytes
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("presign: %q has %d bytes, %d are allowed", e.Ref.Name(), e.Info.Size, e.Max)
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}
