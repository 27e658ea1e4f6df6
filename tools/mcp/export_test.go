package mcp

import (
	"net/http"
	"time"
)

// SetPatience changes how long h waits for a slow client.
func SetPatience(h http.Handler, d time.Duration) { h.(*handler).patience = d }
