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
		group := NewGroup(t.Context(), time.Minute, time.Second, false)
		plain := group.Start(t.Context(), start)
		defer plain.Cancel()
		type name struct{}
		longer := group.Start(context.WithValue(t.Context(), name{}, "x"), start)
		defer longer.Cancel()
		child, cancel := context.WithCancel(longer)
		defer cancel()
		Extend(child, 5*time.Minute)
		Extend(child, time.Second) // shorter: nothing
		within, stop := context.WithTimeout(child, 5*time.Minute)
		defer stop()
		require.Equal(t, time.Minute, ended(plain))
		require.Equal(t, context.DeadlineExceeded, plain.Err())
		<-group.Expired()
		require.Equal(t, 5*time.Minute, ended(within))
		require.NoError(t, longer.Err())
		late := group.Start(t.Context(), time.Now())
		require.Equal(t, 5*time.Minute+time.Second, ended(longer))
		require.Equal(t, "x", child.Value(name{}))
		require.Equal(t, 6*time.Minute, ended(late))

		released := group.Start(t.Context(), time.Now())
		released.Cancel()
		released.Cancel()
		<-released.Done()
		require.ErrorIs(t, released.Err(), context.Canceled)
		left := group.Start(t.Context(), time.Now())
		group.Close()
		<-left.Done()
		require.ErrorIs(t, left.Err(), context.Canceled)
	})
}

func TestContextsEndWithTheirParent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		parent, end := context.WithTimeout(t.Context(), time.Second)
		defer end()
		group := NewGroup(parent, time.Minute, time.Second, false)
		defer group.Close()
		inner := group.Start(parent, time.Now())
		Extend(inner, time.Hour)
		d, ok := inner.Deadline()
		require.True(t, ok)
		require.Equal(t, time.Second, time.Until(d))
		derived, stop := context.WithCancel(inner)
		defer stop()
		<-derived.Done()
		require.Equal(t, context.DeadlineExceeded, inner.Err())
		require.Error(t, group.Start(parent, time.Now()).Err())
	})
}

func TestExtendDoesNotMoveAFixedTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		group := NewGroup(t.Context(), time.Minute, time.Second, true)
		defer group.Close()
		c := group.Start(t.Context(), start)
		Extend(c, time.Hour)
		<-c.Done()
		require.Equal(t, time.Minute, time.Since(start))
	})
}

func TestExtendWithoutContext(t *testing.T) {
	t.Parallel()
	Extend(t.Context(), time.Minute)
}
