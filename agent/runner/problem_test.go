package runner_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/admission"
	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/httpapi"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/sse"
	"github.com/carrel-go/carrel/tools/approval"
	"github.com/carrel-go/carrel/tracking"
)

func TestProblemHidesTheCause(t *testing.T) {
	t.Parallel()
	secret := errors.New("the secret cause")
	pages, err := os.ReadFile("problem.go")
	require.NoError(t, err)
	for _, tc := range []struct {
		err    error
		status int
		code   string
		wait   time.Duration
	}{
		{runner.ErrInvalid, 400, "invalid", 0},
		{&scope.InvalidError{Kind: "session", Value: "x"}, 400, "invalid", 0},
		{approval.ErrInvalid, 400, "invalid", 0},
		{runner.ErrNotFound, 404, "not_found", 0},
		{sse.ErrNotFound, 404, "not_found", 0},
		{approval.ErrNotFound, 404, "not_found", 0},
		{tracking.ErrNotFound, 404, "not_found", 0},
		{&runner.RunningError{Run: "s.1"}, 409, "running", 0},
		{runner.ErrNotPending, 409, "not_pending", 0},
		{fmt.Errorf("%w: %w", agent.ErrNotWaiting, approval.ErrDecided), 409, "not_pending", 0},
		{fmt.Errorf("%w: %w", agent.ErrNotWaiting, approval.ErrNotFound), 409, "not_pending", 0},
		{approval.ErrDecided, 409, "decided", 0},
		{agent.ErrWaiting, 409, "waiting", 0},
		{&tracking.StateError{Err: secret}, 409, "state", 0},
		{sse.ErrExpired, 410, "expired", 0},
		{runner.ErrTooLarge, 413, "too_large", 0},
		{runner.ErrKeyReused, 422, "key_reused", 0},
		{&admission.FullError{Kind: "queued runs", RetryAfter: time.Minute}, 429, "full", time.Minute},
		{&admission.FullError{Kind: "process runs", RetryAfter: time.Minute}, 429, "full", time.Minute},
		{&admission.FullError{Kind: "grants", RetryAfter: time.Hour}, 429, "full", time.Hour},
		{&admission.FullError{Kind: "tokens", RetryAfter: time.Hour}, 429, "full", time.Hour},
		{runner.ErrShutdown, 503, "shutdown", 5 * time.Second},
		{table.ErrBusy, 503, "busy", 2 * time.Second},
		{tracking.ErrContended, 503, "busy", 2 * time.Second},
		{secret, 500, "internal", 0},
	} {
		for _, err := range []error{tc.err, fmt.Errorf("start: %w: %w", tc.err, secret)} {
			p := runner.Problem(err)
			assert.Equal(t, []any{tc.status, tc.code, tc.wait}, []any{p.Status, p.Code, p.RetryAfter}, "%v", err)
			assert.NotEmpty(t, p.Detail)
			assert.NotContains(t, p.Detail, "secret")
		}
		row := fmt.Sprintf(`(?m)^//\t%d +%s +`, tc.status, tc.code)
		assert.Regexp(t, row, string(pages), "the table in the documentation")
	}
	own := httpapi.NewProblem(http.StatusTeapot, "Short and stout.")
	assert.Equal(t, own, runner.Problem(fmt.Errorf("%w: %w", runner.ErrNotFound, own)))
}
