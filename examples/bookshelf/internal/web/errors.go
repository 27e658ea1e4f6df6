package web

import "errors"

// ErrConnectSrc is returned if an entry of [Options.ConnectSrc] is not an origin.
var ErrConnectSrc = errors.New("web: invalid connect source: must be an origin, for example https://s3.example.com")
