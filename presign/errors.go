package presign

import (
	"errors"
	"fmt"

	"github.com/aws/smithy-go"

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

	// ErrNoUpload: there is no such upload in parts under that name in that
	// session: it has ended, or was never begun there.
	ErrNoUpload = errors.New("presign: no such upload")

	// ErrParts: the parts are not those that were planned and uploaded.
	ErrParts = errors.New("presign: the parts don't make up the upload")

	// ErrTooLarge, ErrSize and ErrDigest are the reasons of a *[RejectedError]:
	// the object exceeds ArrivedOptions.MaxSize, does not have exactly Size
	// bytes, or does not have the digest SHA256.
	ErrTooLarge = errors.New("presign: the upload is too large")
	ErrSize     = errors.New("presign: the upload has another size than stated")
	ErrDigest   = errors.New("presign: the upload has another SHA-256 than stated")

	// ErrEvent: what should be an event is malformed, or none of this bucket
	// and its layout. Nothing of it was accepted.
	ErrEvent = errors.New("presign: not an event to act upon")
)

// RejectedError is returned by [Signer.Arrived] if the upload has arrived and
// fails one of the checks of [ArrivedOptions].
type RejectedError struct {
	Ref  object.Ref // pinned to the rejected object
	Info object.Info
	Err  error // wraps ErrTooLarge, ErrSize or ErrDigest

	// Deleted reports whether the object has been deleted, as
	// ArrivedOptions.DeleteRejected asks. DeleteErr says why not, if deleting
	// was tried and failed; call Arrived again then.
	Deleted   bool
	DeleteErr error
}

func (e *RejectedError) Error() string {
	if e.DeleteErr != nil {
		return fmt.Sprintf("%v (%q; it could not be deleted: %v)", e.Err, e.Ref.Name(), e.DeleteErr)
	}
	return fmt.Sprintf("%v (%q)", e.Err, e.Ref.Name())
}

// Unwrap returns Err, and DeleteErr if it is set.
func (e *RejectedError) Unwrap() []error {
	if e.DeleteErr != nil {
		return []error{e.Err, e.DeleteErr}
	}
	return []error{e.Err}
}

// mapError adds the sentinel that fits to an error of an upload in parts. See
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html.
func mapError(err error) error {
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return err
	}
	switch api.ErrorCode() {
	case "NoSuchUpload":
		return fmt.Errorf("%w: %w", ErrNoUpload, err)
	case "PreconditionFailed":
		return fmt.Errorf("%w: %w", object.ErrExists, err)
	case "ConditionalRequestConflict", "OperationAborted":
		return fmt.Errorf("%w: %w", object.ErrConflict, err)
	case "AccessDenied":
		return fmt.Errorf("%w: %w", object.ErrDenied, err)
	}
	return err
}

// mapParts does so for what only Complete can be answered.
func mapParts(err error) error {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		switch api.ErrorCode() {
		case "InvalidPart", "InvalidPartOrder", "EntityTooSmall", "BadDigest", "InvalidRequest":
			return fmt.Errorf("%w: %w", ErrParts, err)
		}
	}
	return err
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}
