package sleep_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/sleep"
)

func TestForWaitsOrReturnsTheCause(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		require.NoError(t, sleep.For(t.Context(), time.Minute))
		require.Equal(t, time.Minute, time.Since(began))

		stopped := errors.New("stopped")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(stopped) })
		began = time.Now()
		require.ErrorIs(t, sleep.For(ctx, time.Minute), stopped)
		require.Equal(t, time.Second, time.Since(began))
	})
}
