package booktools

import (
	"image"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A hanging program is killed, and the call does not wait for its children.
func TestOCRTimeout(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("needs a Unix shell")
	}
	program := filepath.Join(t.TempDir(), "tesseract")
	require.NoError(t, os.WriteFile(program, []byte("#!/bin/sh\nsleep 60 &\nsleep 60\n"), 0o755))
	begin := time.Now()
	b := &toolbox{ocrTimeout: 100 * time.Millisecond}
	_, err := b.ocr(t.Context(), program, image.NewGray(image.Rect(0, 0, 9, 9)))
	require.ErrorContains(t, err, "took longer than 100ms")
	require.Less(t, time.Since(begin), 30*time.Second)
}
