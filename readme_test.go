package carrel_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestREADME checks that the README shows the program that quickstart's own test runs. With -update it copies it.
func TestREADME(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	shown := regexp.MustCompile("(?s)```go\n((?://[^\n]*\n)+package main\n.*?)```").FindSubmatch(text)
	require.NotNil(t, shown, "the README has no complete program")
	source, err := os.ReadFile(filepath.Join(program, "main.go"))
	require.NoError(t, err)
	if *update {
		text = bytes.Replace(text, shown[1], source, 1)
		require.NoError(t, os.WriteFile("README.md", text, 0o644))
		return
	}
	require.Equal(t, string(source), string(shown[1]), "the program has changed: go test . -run TestREADME -update")
}

// TestDesign checks that the functions that docs/design.md leads through are where it says.
func TestDesign(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("docs/design.md")
	require.NoError(t, err)
	steps := regexp.MustCompile("(?m)^\\| \\d+ \\|.*\\| `([^`]+)` `(\\w+)` \\|$").FindAllSubmatch(text, -1)
	require.Greater(t, len(steps), 10)
	for _, step := range steps {
		src, err := os.ReadFile(string(step[1]))
		require.NoError(t, err)
		require.Regexp(t, `(?m)^func (\([^)]*\) )?`+string(step[2])+`\(`, string(src), "%s is not in %s", step[2], step[1])
	}
}
