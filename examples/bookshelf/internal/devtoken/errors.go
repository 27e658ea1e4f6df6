package devtoken

import (
	"errors"
	"fmt"
)

// ErrKey is returned if the key file in the data directory is not usable.
var ErrKey = errors.New("devtoken: unusable key file")

// RoleError is returned for an unknown or a repeated role. Its text may be shown to users.
type RoleError struct{ Role, Reason string }

func (e *RoleError) Error() string {
	return fmt.Sprintf("devtoken: the role %.80q %s", e.Role, e.Reason)
}
