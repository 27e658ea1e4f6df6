package agui

import "errors"

// ErrInvalid is returned by [New] for an argument that is not valid.
var ErrInvalid = errors.New("agui: invalid value")
