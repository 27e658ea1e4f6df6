package cover

import "errors"

// ErrDigits is returned unless a barcode's digits are thirteen, with the right check digit.
var ErrDigits = errors.New("cover: not thirteen digits with the right check digit")
