package aisdk

import (
	"errors"
	"fmt"
	"net/http"
)

// ErrInvalid is returned by [New] for an argument that is not valid.
var ErrInvalid = errors.New("aisdk: invalid value")

// RequestError is why a request is rejected before the [Chat] receives it.
type RequestError struct {
	// Status is the status of the response.
	Status int
	// Message is for the person at the client. It does not contain secrets.
	Message string
}

func (e *RequestError) Error() string { return "aisdk: request: " + e.Message }

func newInvalid(format string, args ...any) *RequestError {
	return &RequestError{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

// errDrained ends the streams when [Options].Stream.Drain is done.
var errDrained = errors.New("aisdk: the server is shutting down")

// errUnfinished ends the stream of a run whose log ends without a last event.
var errUnfinished = errors.New("aisdk: the log does not have a last event")
