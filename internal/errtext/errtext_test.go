package errtext_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/errtext"
)

func TestJoinPrintsEachPartOnce(t *testing.T) {
	t.Parallel()
	cause := errors.New("disk full")
	inner := errors.New(errtext.Join("tools: fatal", "bad_file", "It is unreadable.", cause))
	for _, c := range []struct {
		code, message string
		cause         error
		want          string
	}{
		{"", "", nil, "run"},
		{"bad_file", "", nil, "run: bad_file"},
		{"", "It is unreadable.", cause, "run: It is unreadable.: disk full"},
		{"bad_file", "It is unreadable.", cause, "run: bad_file: It is unreadable.: disk full"},
		{"bad_file", "disk full", cause, "run: bad_file: disk full"},
		{"bad_file", "It is unreadable.", inner, "run: tools: fatal: bad_file: It is unreadable.: disk full"},
		{"bad_file", "It is unreadable.", fmt.Errorf("call c1: %w", inner), "run: call c1: tools: fatal: bad_file: It is unreadable.: disk full"},
		{"other", "It is unreadable.", inner, "run: other: It is unreadable.: tools: fatal: bad_file: It is unreadable.: disk full"},
	} {
		require.Equal(t, c.want, errtext.Join("run", c.code, c.message, c.cause))
	}
	model := errors.New("agent: model: throttled: Busy.")
	require.Equal(t, "agent: run: model: throttled: Busy.", errtext.Join("agent: run", "throttled", "Busy.", model))
}
