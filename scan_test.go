package carrel_test

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// No program of either module can scan a table, or ask for one in a query's text: only tests name the requests, to
// tell their cost.
func TestNoScan(t *testing.T) {
	scans := regexp.MustCompile(`\b(ScanInput|NewScanPaginator|ExecuteStatement\w*|BatchExecuteStatement\w*|ParallelScan\w*)\b`)
	require.True(t, scans.MatchString("dynamodb.ScanInput{}"))
	read := 0
	require.NoError(t, fs.WalkDir(os.DirFS("."), ".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		src, err := os.ReadFile(path)
		require.NotRegexp(t, scans, string(src), path)
		read++
		return err
	}))
	require.Greater(t, read, 100)
}
