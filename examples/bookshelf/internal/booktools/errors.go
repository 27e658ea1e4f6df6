package booktools

import (
	"errors"

	"github.com/carrel-go/carrel/tools"
)

// ErrUpload says that a scope does not hold exactly one object, so that no upload is the one to read.
var ErrUpload = errors.New("booktools: the scope does not hold exactly one object")

// The codes of the [tools.FatalError] that [LoadImage] returns.
const (
	NotAnImage    = "not_an_image"
	ImageTooLarge = "image_too_large"
)

// unusable is a fault of the upload that no repetition mends. The message is for a person.
func unusable(code, message string, cause error) error {
	return &tools.FatalError{Code: code, Message: message, Permanent: true, Err: cause}
}
