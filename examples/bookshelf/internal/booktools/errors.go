package booktools

import "errors"

// ErrUpload is returned if a scope does not hold exactly one object, so that it is not clear which upload to read.
var ErrUpload = errors.New("booktools: the scope does not hold exactly one object")
