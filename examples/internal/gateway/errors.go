package gateway

import "errors"

var (
	// ErrFoldsCase: the file system takes "A" and "a" for one name, so the
	// objects of tenant "A" would be those of tenant "a".
	ErrFoldsCase = errors.New("gateway: the data directory's file system folds case; choose a directory on one that does not")

	// ErrKeys: the account needs an access key and a secret key.
	ErrKeys = errors.New("gateway: an access key and a secret key are needed")

	// ErrRunning: a process can run one gateway at a time.
	ErrRunning = errors.New("gateway: one is running already in this process")
)
