package photo

import (
	"fmt"

	"github.com/carrel-go/carrel/tools"
)

// The codes of the [tools.FatalError] that [Decoder.Gray] returns.
const (
	NotAnImage    = "not_an_image"
	ImageTooLarge = "image_too_large"
)

// newUnusableError returns a permanent error about the upload. The message is for a person.
func newUnusableError(code, message string, cause error) error {
	return &tools.FatalError{Code: code, Message: message, Err: cause}
}

func newTooLargeError(cause error) error {
	return newUnusableError(ImageTooLarge,
		fmt.Sprintf("The image is too large: at most %d MB and %d megapixels can be read.", MaxBytes>>20,
			MaxPixels/1_000_000),
		cause)
}

func newTooCostlyError(h header) error {
	return newUnusableError(ImageTooLarge,
		fmt.Sprintf("The image is too large: at most %d MB and %d megapixels can be read, in at most %d MB of memory, "+
			"and this kind of image takes %d MB. Please save it smaller, or as a plain JPEG that is not progressive.",
			MaxBytes>>20, MaxPixels/1_000_000, MaxMemory>>20, h.memory>>20),
		fmt.Errorf("%s of %d × %d pixels", h.format, h.width, h.height))
}

func newDamagedError(format string, cause error) error {
	return newUnusableError(NotAnImage,
		"The "+format+" image is damaged or incomplete. Please upload it again.", cause)
}

func newUnsupportedError(format string, cause error) error {
	return newUnusableError(NotAnImage,
		"This kind of "+format+" image is not supported. Please save it as a plain PNG or JPEG.", cause)
}

// newForeignError returns the error for a file of a kind that is not decoded, which may be unknown.
func newForeignError(kind string) error {
	return newUnusableError(NotAnImage, describeForeign(kind), errFormat)
}
