package gateway

import "errors"

var (
	// ErrFoldsCase is returned if the file system ignores case: the objects of
	// tenant "A" would be those of tenant "a".
	ErrFoldsCase = errors.New("gateway: the data directory's file system ignores case: choose a directory on a case-sensitive one")

	// ErrKeys is returned if the access key or the secret key is empty.
	ErrKeys = errors.New("gateway: the access key and the secret key must not be empty")

	// ErrRunning is returned if the process is already running a gateway.
	ErrRunning = errors.New("gateway: already running in this process")
)
