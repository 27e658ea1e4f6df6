package trackingtest

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/scope/table/bolt"
	"github.com/carrel-go/carrel/tracking"
)

func openMemory(o *table.MemoryOptions) func(*testing.T) table.Driver {
	return func(*testing.T) table.Driver { return table.NewMemory(o) }
}

func TestMemory(t *testing.T) {
	t.Parallel()
	Test(t, openMemory(nil), &Options{Run: synctest.Test})
}

func TestLaggingIndexes(t *testing.T) {
	t.Parallel()
	const delay = 3 * time.Second
	Test(t, openMemory(&table.MemoryOptions{IndexDelay: delay}), &Options{Lag: 2 * delay, Run: synctest.Test})
}

func TestIndexesWithListedAttributes(t *testing.T) {
	t.Parallel()
	Test(t, openMemory(&table.MemoryOptions{Listed: tracking.Listed()}), &Options{Run: synctest.Test})
}

func TestBolt(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("each write is a sync of the disk")
	}
	open := func(t *testing.T) table.Driver {
		d, err := bolt.Open(t.TempDir())
		require.NoError(t, err)
		return d
	}
	Test(t, open, &Options{Rounds: 1})
}
