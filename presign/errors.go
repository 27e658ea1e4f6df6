package presign

import (
	"errors"
	"fmt"

	"github.com/aws/smithy-go"

	"github.com/carrel-go/carrel/scope/object"
)

var (
	// ErrInvalid is returned for an invalid option or argument. The text names
	// it and the accepted values.
	ErrInvalid = errors.New("invalid")

	// ErrExpiring is returned if the credentials expire in less than five
	// minutes, even after a refresh.
	ErrExpiring = errors.New("credentials are about to expire")

	// ErrNotArrived is returned if no object has been uploaded under the name.
	ErrNotArrived = errors.New("not arrived")

	// ErrNoUpload is returned if the session does not have that multipart upload
	// under that name: it has ended, or was never created there.
	ErrNoUpload = errors.New("no such multipart upload")

	// ErrParts is returned if the parts differ from the planned or uploaded ones.
	ErrParts = errors.New("parts do not make up the upload")

	// ErrTooLarge and ErrMismatch are the reasons of a *[RejectedError]: the object
	// exceeds ArrivedOptions.MaxSize, or does not have exactly Size bytes or the
	// digest SHA256.
	ErrTooLarge = errors.New("upload is too large")
	ErrMismatch = errors.New("upload is not as stated")

	// ErrEvent is returned for a message that is malformed, or about another
	// bucket or layout. None of its events is accepted.
	ErrEvent = errors.New("invalid event")

	errUnsigned = errors.New("the SDK did not sign what the grant promises")
)

// RejectedError is returned by [Signer.Arrived] if the upload has arrived and
// fails one of the checks of [ArrivedOptions].
type RejectedError struct {
	Ref  object.Ref // pinned to the rejected object
	Info object.Info
	Err  error // wraps ErrTooLarge or ErrMismatch

	// Deleted reports whether the object has been deleted, as
	// ArrivedOptions.DeleteRejected requests. DeleteErr is the error of a failed
	// deletion; call Arrived again then.
	Deleted   bool
	DeleteErr error
}

func (e *RejectedError) Error() string {
	if e.DeleteErr != nil {
		return fmt.Sprintf("%v (%q; could not be deleted: %v)", e.Err, e.Ref.Name(), e.DeleteErr)
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

// mapError wraps an error of a multipart upload with the matching sentinel. Some codes
// mean that the parts are wrong if they come from a Complete, and only then. See
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html.
func mapError(err error, isComplete bool) error {
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return err
	}
	var sentinel error
	switch api.ErrorCode() {
	case "NoSuchUpload":
		sentinel = ErrNoUpload
	case "PreconditionFailed":
		sentinel = object.ErrExists
	case "ConditionalRequestConflict", "OperationAborted":
		sentinel = object.ErrConflict
	case "AccessDenied":
		sentinel = object.ErrDenied
	case "InvalidPart", "InvalidPartOrder", "EntityTooSmall", "BadDigest", "InvalidRequest":
		if isComplete {
			sentinel = ErrParts
		}
	}
	if sentinel == nil {
		return err
	}
	return fmt.Errorf("%w: %w", sentinel, err)
}

// wrapError adds the operation to *err, if there is an error.
func wrapError(op string, err *error) {
	if *err != nil {
		*err = fmt.Errorf("presign: %s: %w", op, *err)
	}
}

func invalidf(format string, args ...any) error {
	return fmt.Errorf("%w "+format, append([]any{ErrInvalid}, args...)...)
}
