package credential

import (
	"errors"
	"fmt"
)

var (
	errInvalid = errors.New("invalid")
	errTooLong = errors.New("session policy is too long, use fewer classes, indexes or purposes")
	errAnswer  = errors.New("invalid answer of AssumeRole")
)

func invalidf(format string, args ...any) error {
	return fmt.Errorf("%w "+format, append([]any{errInvalid}, args...)...)
}
