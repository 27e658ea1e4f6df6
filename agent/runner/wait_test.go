package runner

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestWaitsAreRoundedUp(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "1 second", time.Second: "1 second", 1500 * time.Millisecond: "2 seconds", 59 * time.Second: "59 seconds",
		time.Minute: "1 minute", 61 * time.Second: "2 minutes", time.Hour: "1 hour", 90 * time.Minute: "2 hours",
		24 * time.Hour: "24 hours",
	} {
		require.Equal(t, want, formatWait(d), d)
	}
}
