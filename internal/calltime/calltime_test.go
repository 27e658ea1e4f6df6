package calltime

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		ended := func(ctx context.Context) time.Duration {
			<-ctx.Done()
			return time.Since(start)
		}
		plain, cancel := WithDefault(t.Context(), time.Minute, time.Second)
		defer cancel()
		require.Equal(t, time.Minute, ended(plain))
		require.Equal(t, context.DeadlineExceeded, plain.Err())

		start = time.Now()
		longer, cancel := WithDefault(t.Context(), time.Minute, time.Second)
		defer cancel()
		type name struct{}
		child := context.WithValue(longer, name{}, "x")
		Extend(child, 5*time.Minute)
		Extend(child, time.Second) // shorter: nothing
		within, stop := context.WithTimeout(child, 5*time.Minute)
		defer stop()
		require.Equal(t, 5*time.Minute, ended(within))
		require.NoError(t, longer.Err())
		require.Equal(t, 5*time.Minute+time.Second, ended(longer))
		require.Equal(t, "x", child.Value(name{}))

		parent, end := context.WithTimeout(t.Context(), time.Second)
		defer end()
		inner, cancel := WithDefault(parent, time.Minute, time.Second)
		defer cancel()
		Extend(inner, time.Hour)
		d, ok := inner.Deadline()
		require.True(t, ok)
		require.Equal(t, time.Second, time.Until(d))
		derived, stop := context.WithCancel(inner)
		defer stop()
		<-derived.Done()
		require.Equal(t, context.DeadlineExceeded, inner.Err())

		released, cancel := WithDefault(t.Context(), time.Minute, time.Second)
		cancel()
		cancel()
		require.ErrorIs(t, released.Err(), context.Canceled)
	})
}

func TestExtendWithoutContext(t *testing.T) {
	t.Parallel()
	Extend(t.Context(), time.Minute)
}
