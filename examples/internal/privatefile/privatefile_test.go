package privatefile_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/internal/privatefile"
)

func TestReadReturnsWhatWriteWrote(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "secret")
	_, err := privatefile.Read(path)
	require.ErrorIs(t, err, fs.ErrNotExist)
	for _, content := range []string{"first", "", "second"} {
		require.NoError(t, privatefile.Write(path, []byte(content)))
		b, err := privatefile.Read(path)
		require.NoError(t, err)
		require.Equal(t, content, string(b))
	}
	left, err := filepath.Glob(path + ".*")
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestReadRejectsExposedFiles(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("no modes there")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "secret")
	require.NoError(t, privatefile.Write(path, []byte("x")))
	for _, mode := range []fs.FileMode{0o640, 0o604, 0o620, 0o602, 0o644, 0o666, 0o610} {
		require.NoError(t, os.Chmod(path, mode))
		_, err := privatefile.Read(path)
		require.ErrorIs(t, err, privatefile.ErrExposed, mode)
		require.ErrorContains(t, err, path)
	}
	require.NoError(t, os.Chmod(path, 0o400))
	_, err := privatefile.Read(path)
	require.NoError(t, err)
	link := filepath.Join(dir, "link")
	require.NoError(t, os.Symlink(path, link))
	_, err = privatefile.Read(link)
	require.ErrorIs(t, err, privatefile.ErrExposed)
	_, err = privatefile.Read(dir)
	require.ErrorIs(t, err, privatefile.ErrExposed)
}
