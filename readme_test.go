package carrel_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestREADME compiles the complete program of the README, in the module that has its dependencies.
func TestREADME(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	program := regexp.MustCompile("(?s)```go\n(package main\n.*?)```").FindSubmatch(text)
	require.NotNil(t, program, "the README has no complete program")
	file := filepath.Join(t.TempDir(), "main.go")
	require.NoError(t, os.WriteFile(file, program[1], 0o600))
	run(t, "examples", []string{"GOWORK=off"}, "go", "vet", file)
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
