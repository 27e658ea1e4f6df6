package presigntest

import "errors"

var (
	// ErrFoldsCase is returned if the file system ignores case: the objects of tenant "A" would be those of tenant "a".
	ErrFoldsCase = errors.New("presigntest: the data directory's file system ignores case: choose a directory on a " +
		"case-sensitive one")

	// ErrMain is returned by [Start] if the program has not called [Main].
	ErrMain = errors.New("presigntest: call presigntest.Main() as the first statement of main or TestMain")
)
