package reader_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/book"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/booktools"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/cover"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/photo/phototest"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/reader"
	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tools"
)

// desk is one session with an upload and the conversation about it.
type desk struct {
	t        *testing.T
	agent    *agent.Agent
	session  scope.Scope
	history  agent.History
	metadata book.Metadata
	runs     int

	text  string   // of the last run
	calls []string // its tools, in order
}

// newDesk returns a desk with the real tools. tesseract is the path of the program, or "" to look it up on the PATH.
func newDesk(t *testing.T, upload []byte, tesseract string) *desk {
	t.Helper()
	landing, session := newLanding(t, upload)
	set, err := booktools.Tools(landing, &booktools.Options{Tesseract: tesseract})
	require.NoError(t, err)
	return newDeskWith(t, session, set)
}

func newDeskWith(t *testing.T, session scope.Scope, set tools.Set) *desk {
	t.Helper()
	a, err := agent.New(reader.New(&reader.Options{Pace: -1}), &agent.Options{Tools: set})
	require.NoError(t, err)
	return &desk{t: t, agent: a, session: session}
}

// newLanding returns a bucket and a session with one upload.
func newLanding(t *testing.T, upload []byte) (*object.Bucket, scope.Scope) {
	t.Helper()
	tenant, err := scope.Tenant("acme")
	require.NoError(t, err)
	u, err := tenant.User("u1")
	require.NoError(t, err)
	s, err := u.NewSession()
	require.NoError(t, err)
	landing := must.Get(object.New(object.NewMemory(), "landing", nil))
	root, err := landing.In(s)
	require.NoError(t, err)
	ref, err := root.Ref("cover.bin")
	require.NoError(t, err)
	_, _, err = root.Put(t.Context(), ref, bytes.NewReader(upload), nil)
	require.NoError(t, err)
	return landing, s
}

// runPrompt runs one exchange and applies the results of set_field, as the server does.
func (d *desk) runPrompt(prompt string) error {
	d.t.Helper()
	d.runs++
	d.text, d.calls = "", nil
	var last agent.Event
	for ev, err := range d.agent.Stream(d.t.Context(), agent.Input{Scope: d.session, Run: fmt.Sprint(d.runs), Prompt: prompt, History: d.history}) {
		if err != nil {
			return err
		}
		switch ev := ev.(type) {
		case agent.TextDelta:
			d.text += ev.Text
		case agent.ToolCalled:
			d.calls = append(d.calls, ev.Name)
		case agent.ToolDone:
			if ev.Name == booktools.SetField && !ev.Result.IsError {
				var u book.Update
				if json.Unmarshal(ev.Result.Blocks[0].JSON, &u) == nil { // a stub may return anything
					_ = d.metadata.Apply(u)
				}
			}
		}
		last = ev
	}
	done, ok := last.(agent.Done)
	require.True(d.t, ok, "%T", last)
	require.Equal(d.t, agent.OutcomeComplete, done.Outcome)
	require.Positive(d.t, done.Usage.Input)
	require.Positive(d.t, done.Usage.Output)
	d.history = done.History
	require.NotContains(d.t, d.text, "  ", "no gaps in the text")
	require.NotContains(d.t, d.text, "..")
	return nil
}

func (d *desk) requireMetadata(want string) {
	d.t.Helper()
	require.JSONEq(d.t, want, string(d.metadata.Canonical()))
}

func renderCover(t *testing.T, s cover.Sample, f cover.Format) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, cover.Render(&b, s, &cover.Options{Width: 600, Format: f}))
	return b.Bytes()
}

// hideTesseract makes tesseract unavailable. A test that calls it cannot be parallel, since it changes PATH.
func hideTesseract(t *testing.T) {
	t.Helper()
	t.Setenv("PATH", t.TempDir())
}

// installTesseract returns the path of a program that reads the given text with confidence.
func installTesseract(t *testing.T, text string) string {
	t.Helper()
	return installProgram(t, phototest.WordTable(text, 95))
}

// installProgram returns the path of a program that prints the given text. The fork lock keeps processes that start at
// the same time from inheriting the open file, since Linux does not run a file that is open for writing.
func installProgram(t *testing.T, text string) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("needs a Unix shell")
	}
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "text"), []byte(text), 0o600))
	path := filepath.Join(dir, "tesseract")
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\nexec /bin/cat '"+dir+"/text'\n"), 0o755))
	return path
}
