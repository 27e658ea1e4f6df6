package bolt

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope/table"
)

func TestConcurrentWritersShareTransactions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := openDisk(t)
		var wg sync.WaitGroup
		for w := range 50 {
			wg.Go(func() {
				time.Sleep(time.Duration(w) * 1999 * time.Microsecond)
				it, cond := table.Item{Sort: fmt.Sprint(w)}, table.Absent()
				for range 50 {
					began := time.Now()
					stored, err := d.View.Put(t.Context(), it, cond)
					if err != nil {
						t.Error(err)
						return
					}
					if took := time.Since(began); took > paceInterval {
						t.Errorf("a write took %v", took)
					}
					it, cond = stored, table.Version(stored.Version)
					time.Sleep(100 * time.Millisecond)
				}
			})
		}
		wg.Wait()
		require.Less(t, int(d.commits.Load()), 2500/4, "2,500 writes, one each 2 ms")
	})
}

// A pause would not bring another write, so a writer that is alone is hardly delayed.
func TestWriterThatIsAloneIsHardlyDelayed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := openDisk(t)
		start := time.Now()
		for _, sort := range numberedSorts(2000) {
			require.NoError(t, d.putItem(t.Context(), sort))
		}
		require.Less(t, time.Since(start), 200*time.Millisecond)
	})
}
