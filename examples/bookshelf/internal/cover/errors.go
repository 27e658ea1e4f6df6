package cover

import "errors"

// ErrDigits is returned if the digits of a barcode are not thirteen digits with the right check digit.
var ErrDigits = errors.New("cover: invalid barcode: must be thirteen digits with the right check digit")
