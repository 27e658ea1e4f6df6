package cover

import "errors"

// ErrDigits says that a barcode was asked for something else than thirteen digits with the right check digit.
var ErrDigits = errors.New("cover: not thirteen digits with the right check digit")
