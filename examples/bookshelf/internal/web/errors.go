package web

import "errors"

// ErrConnectSrc is returned if an entry of [Options.ConnectSrc] is not an origin.
var ErrConnectSrc = errors.New("web: connect source is not an http or https origin")
