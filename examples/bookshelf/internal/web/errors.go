package web

import "errors"

// ErrConnectSrc says that an entry of [Options.ConnectSrc] is no plain origin.
var ErrConnectSrc = errors.New("web: connect source is not an http or https origin")
