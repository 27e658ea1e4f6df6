package credential

import (
	"errors"
	"fmt"
)

var (
	// ErrInvalid is returned for a Resources, a Purpose or an option that can't be meant.
	ErrInvalid = errors.New("credential: invalid value")

	// ErrTooLong: the policy is over [MaxPolicy] characters, or STS found it
	// too large once packed. Fewer classes, indexes or purposes make it shorter.
	ErrTooLong = errors.New("credential: the session policy is too long")

	// ErrAnswer: STS answered without error and without usable credentials.
	ErrAnswer = errors.New("credential: not an answer of AssumeRole")
)

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}
