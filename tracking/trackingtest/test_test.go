package trackingtest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/scope/table/bolt"
	"github.com/carrel-go/carrel/tracking/trackingtest"
)

func TestMemory(t *testing.T) {
	require.NoError(t, run(t, func() (table.Driver, error) { return table.NewMemory(nil), nil }, nil))
}

// Indexes that lag, as DynamoDB's do. Time is a bubble's.
func TestDelayedIndexes(t *testing.T) {
	const delay = 3 * time.Second
	open := func() (table.Driver, error) { return table.NewMemory(&table.MemoryOptions{IndexDelay: delay}), nil }
	require.NoError(t, run(t, open, &trackingtest.Options{Lag: 2 * delay}))
}

// Indexes that hold the file name alone.
func TestListedAttributes(t *testing.T) {
	open := func() (table.Driver, error) {
		return table.NewMemory(&table.MemoryOptions{Listed: []string{"filename"}}), nil
	}
	require.NoError(t, run(t, open, nil))
}

func TestBolt(t *testing.T) {
	open := func() (table.Driver, error) { return bolt.Open(t.TempDir()) }
	require.NoError(t, trackingtest.Test(t.Context(), open, &trackingtest.Options{Rounds: 1})) // each write is a sync of the disk
}

// run runs the suite in a bubble, so that waiting takes no time.
func run(t *testing.T, open func() (table.Driver, error), o *trackingtest.Options) (err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { err = trackingtest.Test(t.Context(), open, o) })
	return err
}
