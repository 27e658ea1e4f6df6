package issuer

import (
	"errors"
	"fmt"
)

// ErrKey says that the file in the data directory is not a key that may be used. The text says why.
var ErrKey = errors.New("issuer: unusable key file")

// RoleError says that a role is none of those that there are, or is there twice. Its text may be shown.
type RoleError struct{ Role, Reason string }

func (e *RoleError) Error() string { return fmt.Sprintf("issuer: the role %.80q %s", e.Role, e.Reason) }
