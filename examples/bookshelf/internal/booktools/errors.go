package booktools

import "errors"

// ErrUpload is returned if a scope does not have exactly one object, so that the upload is ambiguous.
var ErrUpload = errors.New("booktools: the scope does not have exactly one object")
