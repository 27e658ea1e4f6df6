package presigntest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/versity/versitygw/backend/meta"
)

// probeDirectory checks with a temporary file which features the file system of dir has. Objects' attributes are stored
// as extended attributes if it supports them. Otherwise they are stored in a second directory next to dir, whose path
// it returns.
func probeDirectory(dir string) (sidecar string, err error) {
	f, err := os.CreateTemp(dir, ".probe-a-*")
	if err != nil {
		return "", fmt.Errorf("presigntest: probe: %w", err)
	}
	name := filepath.Base(f.Name())
	attrErr := meta.XattrMeta{}.StoreAttribute(f, "", "", "probe", []byte("x"))
	ignoresCase, err := foldsCase(dir, name)
	if err := errors.Join(err, f.Close(), os.Remove(f.Name())); err != nil {
		return "", fmt.Errorf("presigntest: probe: %w", err)
	}
	if ignoresCase {
		return "", ErrFoldsCase
	}
	if attrErr == nil {
		return "", nil
	}
	// The server rejects a path that begins with dir's.
	sidecar = filepath.Join(filepath.Dir(dir), "attributes-of-"+filepath.Base(dir))
	if err := os.MkdirAll(sidecar, 0o700); err != nil {
		return "", fmt.Errorf("presigntest: probe: %w", err)
	}
	return sidecar, nil
}

// foldsCase reports whether the file system finds a name of dir in another case.
func foldsCase(dir, name string) (bool, error) {
	_, err := os.Lstat(filepath.Join(dir, strings.ToUpper(name)))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
