package watchdog_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/watchdog"
)

func TestWatchdogBarksWhenAPhaseHasLastedForTheLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		barked := make(chan time.Duration, 1)
		w := watchdog.New(10*time.Second, func() { barked <- time.Since(start) })
		defer w.End()
		for range 30 { // short phases, each begun twice
			w.Begin()
			time.Sleep(7 * time.Second)
			w.Begin()
			time.Sleep(7 * time.Second)
			w.Pause()
			time.Sleep(13 * time.Second)
		}
		require.Empty(t, barked)
		begun := time.Since(start)
		w.Begin()
		require.Equal(t, begun+10*time.Second, <-barked)
		time.Sleep(time.Hour)
		require.Empty(t, barked, "it barks once")
	})
}

func TestWatchdogIsSilentAfterItsEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := watchdog.New(time.Second, func() { t.Error("it barks") })
		w.Begin()
		time.Sleep(time.Second / 2)
		w.End()
		time.Sleep(time.Hour)
	})
}
