package agent

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/tools"
)

func TestErrorsPrintCodeMessageAndCauseOnce(t *testing.T) {
	t.Parallel()
	cause := errors.New("the cause")
	model := &ModelError{Code: CodeThrottled, Message: "The model is busy.", Retryable: true, Err: cause}
	for name, c := range map[string]struct {
		err  error
		want []string
	}{
		"a model's":             {model, []string{"throttled", "The model is busy.", "the cause"}},
		"a run's of a model":    {mapModelError(model), []string{"throttled", "The model is busy.", "the cause"}},
		"a run's":               {malformedAnswer(cause), []string{"malformed", "could not be understood.", "the cause"}},
		"a run's without cause": {limitError("no more than %d", 3), []string{"limit", "no more than 3"}},
		"a tool's": {fatalError(&tools.FatalError{Code: "bad_file", Message: "It is unreadable.", Err: cause}),
			[]string{"bad_file", "It is unreadable.", "the cause"}},
	} {
		for _, want := range c.want {
			require.Equal(t, 1, strings.Count(c.err.Error(), want), "%s: %q in %q", name, want, c.err)
		}
	}
	var err error
	for _, e := range Fallback(play(step{model}), play(step{&ModelError{Code: CodeTimeout, Message: "It is silent.", Err: cause}})).Stream(t.Context(), &Request{}) {
		err = e
	}
	require.ErrorIs(t, err, model)
	for want, n := range map[string]int{"throttled": 1, "timeout": 1, "It is silent.": 1, "The model is busy.": 1, "the cause": 2} {
		require.Equal(t, n, strings.Count(err.Error(), want), "%q in %q", want, err)
	}
}
