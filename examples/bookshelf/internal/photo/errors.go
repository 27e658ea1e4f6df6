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

// unusable returns a permanent error about the upload. The message is for a person.
func unusable(code, message string, cause error) error {
	return &tools.FatalError{Code: code, Message: message, Err: cause}
}

func tooLarge(cause error) error {
	return unusable(ImageTooLarge,
		fmt.Sprintf("The image is too large: at most %d MB and %d megapixels can be read.", MaxBytes>>20, MaxPixels/1_000_000),
		cause)
}

func tooCostly(h header) error {
	return unusable(ImageTooLarge,
		fmt.Sprintf("The image is too large: at most %d MB and %d megapixels can be read, in at most %d MB of memory, "+
			"and this kind of image takes %d MB. Please save it smaller, or as a plain JPEG that is not progressive.",
			MaxBytes>>20, MaxPixels/1_000_000, MaxMemory>>20, h.memory>>20),
		fmt.Errorf("%s of %d × %d pixels", h.format, h.width, h.height))
}

func damaged(format string, cause error) error {
	return unusable(NotAnImage,
		"The "+format+" image is damaged or incomplete. Please upload it again.", cause)
}

func unsupported(format string, cause error) error {
	return unusable(NotAnImage,
		"This kind of "+format+" image is not supported. Please save it as a plain PNG or JPEG.", cause)
}
