// Package privatefile reads and writes files that hold secrets, such as a key
// or a password. Only their owner may have access to them.
package privatefile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// ErrExposed is returned by [Read] if users other than the owner may read or
// write the file, or if it is not a regular file.
var ErrExposed = errors.New("privatefile: file is not private")

// Read returns the content of a regular file that only its owner may read or
// write. On Windows, the mode is not checked. Read returns fs.ErrNotExist if
// the file does not exist.
func Read(path string) ([]byte, error) {
	before, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if err := checkPrivate(path, before); err != nil {
		return nil, err
	}
	f, err := os.Open(path) //nolint:gosec // the caller chooses the file
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !os.SameFile(before, info) {
		return nil, fmt.Errorf("%w: %s was replaced while it was being opened", ErrExposed, path)
	}
	if err := checkPrivate(path, info); err != nil {
		return nil, err
	}
	return io.ReadAll(f)
}

// checkPrivate returns ErrExposed unless the file is regular and only its owner
// has access.
func checkPrivate(path string, info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%w: %s is not a regular file", ErrExposed, path)
	}
	if perm := info.Mode().Perm(); runtime.GOOS != "windows" && perm&0o077 != 0 {
		return fmt.Errorf("%w: other users may read or write %s (mode %v, must be %v)",
			ErrExposed, path, perm, fs.FileMode(0o600))
	}
	return nil
}

// Write atomically writes content to path with mode 0600.
func Write(path string, content []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // with mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	if _, err = f.Write(content); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
