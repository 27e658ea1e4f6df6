package presign

var ErrUnsigned = errUnsigned
