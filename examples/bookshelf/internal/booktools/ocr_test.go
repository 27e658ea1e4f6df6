package booktools

import (
	"image"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The call does not wait for the children of the program.
func TestReadCoverKillsAHangingProgram(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("needs a Unix shell")
	}
	program := filepath.Join(t.TempDir(), "tesseract")
	syscall.ForkLock.RLock() // no process that starts now inherits the open file
	err := os.WriteFile(program, []byte("#!/bin/sh\nsleep 50 &\nsleep 50\n"), 0o755)
	syscall.ForkLock.RUnlock()
	require.NoError(t, err)
	begin := time.Now()
	b := &toolbox{ocrTimeout: 100 * time.Millisecond}
	_, err = b.runTesseract(t.Context(), program, image.NewGray(image.Rect(0, 0, 9, 9)), 0)
	require.ErrorContains(t, err, "took longer than 100ms")
	require.Less(t, time.Since(begin), 50*time.Second)
}
