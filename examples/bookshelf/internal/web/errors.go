package web

import "errors"

// ErrOrigin is returned if an entry of [Options].ConnectSrc or ImgSrc is not an origin.
var ErrOrigin = errors.New("web: invalid source: must be an origin, for example https://s3.example.com")
