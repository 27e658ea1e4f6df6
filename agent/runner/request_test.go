package runner_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/scope/table"
)

// A run that could only fail does not become a run of the session.
func TestStartRejectsAnEmptyMessage(t *testing.T) {
	t.Parallel()
	p := newProcess(t, table.NewMemory(nil), hostOf(t, librarian(0)), nil)
	session := newSession(t)
	_, err := p.Start(t.Context(), runner.Request{Scope: session})
	require.ErrorIs(t, err, runner.ErrInvalid)
	_, err = p.Get(t.Context(), session, "")
	require.ErrorIs(t, err, runner.ErrNotFound)
}
