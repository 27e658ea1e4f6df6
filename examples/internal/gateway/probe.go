package gateway

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/versity/versitygw/backend/meta"
)

// probe checks with a temporary file which features the file system of dir has.
// Objects' attributes are stored as extended attributes if it supports them,
// otherwise in files of a second directory next to dir, whose path is returned.
func probe(dir string) (meta.MetadataStorer, string, error) {
	f, err := os.CreateTemp(dir, ".probe-a-*")
	if err != nil {
		return nil, "", fmt.Errorf("gateway: probe: %w", err)
	}
	name := filepath.Base(f.Name())
	attrErr := meta.XattrMeta{}.StoreAttribute(f, "", "", "probe", []byte("x"))
	folds, err := folds(dir, name)
	if err := errors.Join(err, f.Close(), os.Remove(f.Name())); err != nil {
		return nil, "", fmt.Errorf("gateway: probe: %w", err)
	}
	if folds {
		return nil, "", ErrFoldsCase
	}
	if attrErr == nil {
		return meta.XattrMeta{}, "", nil
	}
	// The server rejects a path that begins with dir's.
	sidecar := filepath.Join(filepath.Dir(dir), "attributes-of-"+filepath.Base(dir))
	if err := os.MkdirAll(sidecar, 0o700); err != nil {
		return nil, "", fmt.Errorf("gateway: probe: %w", err)
	}
	storer, err := meta.NewSideCar(sidecar)
	if err != nil {
		return nil, "", fmt.Errorf("gateway: attributes in %s: %w", sidecar, err)
	}
	return storer, sidecar, nil
}

// folds reports whether the file system finds a name of dir in another case.
func folds(dir, name string) (bool, error) {
	_, err := os.Lstat(filepath.Join(dir, strings.ToUpper(name)))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
