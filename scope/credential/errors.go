package credential

import (
	"errors"
	"fmt"
)

var (
	// ErrInvalid is returned for an invalid argument or option. The text names it.
	ErrInvalid = errors.New("credential: invalid value")

	// ErrTooLong is returned if the policy exceeds 2,048 characters, or STS's limit
	// for the packed policy. Use fewer classes, indexes or purposes.
	ErrTooLong = errors.New("credential: session policy is too long")

	// ErrAnswer is returned if STS answered without usable credentials.
	ErrAnswer = errors.New("credential: invalid answer of AssumeRole")
)

func invalidf(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}
