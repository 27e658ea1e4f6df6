package tracking

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFailuresAreRecordedWithoutTheirCause(t *testing.T) {
	t.Parallel()
	secret := recordableError(fmt.Errorf("run: %w", throttledError()))
	require.Equal(t, Error{Code: "throttled", Message: "The model is busy.", Retryable: true}, secret)
	plain := recordableError(errors.New("denied: arn:aws:iam::123456789012:role/x"))
	require.Equal(t, codeInternal, plain.Code)
	require.NotContains(t, plain.Message, "arn")
	require.True(t, plain.Retryable)

	long := recordableError(&Error{Code: "x", Message: "a" + strings.Repeat("é", 1000)})
	require.Len(t, long.Message, 1023, "cut between two characters")
	require.Equal(t, "a\uFFFDb", recordableError(&Error{Code: "x", Message: "a\xffb", Retryable: true}).Message)
	require.NotEmpty(t, strings.TrimSpace(recordableError(&Error{Code: "x", Message: " \n", Retryable: true}).Message))
	odd := recordableError(&Error{Code: "No Code!", Message: "m"})
	require.Equal(t, Error{Code: codeInternal, Message: "m"}, odd)
	require.Equal(t, codeInternal, recordableError((*Error)(nil)).Code)
}
