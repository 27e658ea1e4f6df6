package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/internal/privatefile"
)

// The embedded parts' keys open every tenant's files: a file of them that others
// can read is refused, as the issuer's key is.
func TestEmbeddedKeysArePrivate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	made, err := embeddedKeys(dir)
	require.NoError(t, err)
	kept, err := embeddedKeys(dir)
	require.NoError(t, err)
	require.Equal(t, made, kept)
	path := filepath.Join(dir, "credentials.json")
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	for _, mode := range []os.FileMode{0o644, 0o640, 0o606} {
		require.NoError(t, os.Chmod(path, mode))
		got, err := embeddedKeys(dir)
		require.ErrorIs(t, err, privatefile.ErrExposed, mode)
		require.Zero(t, got)
	}
}
