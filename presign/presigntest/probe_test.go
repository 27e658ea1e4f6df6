package presigntest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFoldingOfCaseIsDetected(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "probe-a"), nil, 0o600))
	yes, err := foldsCase(dir, "probe-a")
	require.NoError(t, err)
	require.False(t, yes)

	// A case-insensitive file system answers like this.
	require.NoError(t, os.WriteFile(filepath.Join(dir, "PROBE-A"), nil, 0o600))
	yes, err = foldsCase(dir, "probe-a")
	require.NoError(t, err)
	require.True(t, yes)
}

func TestProbeLeavesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, err := probeDirectory(dir)
	require.NoError(t, err)
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left)
}
