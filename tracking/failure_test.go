package tracking

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFailure(t *testing.T) {
	secret := failureOf(fmt.Errorf("run: %w", throttled()))
	require.Equal(t, Failure{Code: "throttled", Message: "The model is busy."}, secret)
	plain := failureOf(errors.New("denied: arn:aws:iam::123456789012:role/x"))
	require.Equal(t, CodeInternal, plain.Code)
	require.NotContains(t, plain.Message, "arn")
	require.False(t, plain.Permanent)

	long := failureOf(&Error{Code: "x", Message: "a" + strings.Repeat("é", 1000)})
	require.Len(t, long.Message, 1023, "cut between two characters")
	require.Equal(t, "a\uFFFDb", failureOf(&Error{Code: "x", Message: "a\xffb"}).Message)
	require.NotEmpty(t, strings.TrimSpace(failureOf(&Error{Code: "x", Message: " \n"}).Message))
	odd := failureOf(&Error{Code: "No Code!", Message: "m", Permanent: true})
	require.Equal(t, Failure{Code: CodeInternal, Message: "m", Permanent: true}, odd)
	require.Equal(t, CodeInternal, failureOf((*Error)(nil)).Code)
}
