package bolt

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope/table"
)

// A program that has read a large file does not keep it in its resident set.
func TestPagesOfTheFileLeaveTheResidentSet(t *testing.T) {
	t.Parallel()
	d := openDisk(t)
	const items, size = 64, 128 << 10
	for i := range items {
		require.NoError(t, putLarge(t, d.View, i, size))
	}
	for i := 0; residentBytes(t, d) < items*size/2; i++ { // the last write may still remove some
		require.Less(t, i, 100*items, "what is read does not get into memory")
		_, err := d.View.Get(t.Context(), fmt.Sprint(i%items))
		require.NoError(t, err)
	}
	for i := items; residentBytes(t, d) > items*size/10; i++ { // pages leave after the answer to a write
		require.LessOrEqual(t, i, items+2*releaseWrites, "the pages stay")
		require.NoError(t, putLarge(t, d.View, i, 1))
	}
}

// The mapping is replaced while the file grows.
func TestReadsAreRightWhilePagesLeave(t *testing.T) {
	t.Parallel()
	d := openDisk(t)
	const writers, items, size = 4, 40, 32 << 10
	done := make(chan struct{})
	var background, wg sync.WaitGroup
	background.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				if err := d.db.View(unmapPages); err != nil {
					t.Error(err)
					return
				}
			}
		}
	})
	for w := range writers {
		wg.Go(func() {
			for i := w; i < writers*items; i += writers {
				if err := putLarge(t, d.View, i, size); err != nil {
					t.Error(err)
					return
				}
				checkLarge(t, d.View, w, i/2, size)
				checkLarge(t, d.View, w, i, size)
			}
		})
	}
	wg.Wait()
	close(done)
	background.Wait()
}

func putLarge(t *testing.T, v *table.View, i, size int) error {
	it := table.Item{Sort: fmt.Sprint(i), Attr: map[string]table.Value{"a": largeValue(i, size)}}
	_, err := v.Put(t.Context(), it, table.Absent())
	return err
}

func largeValue(i, size int) []byte { return bytes.Repeat([]byte{byte(i)}, size) }

// checkLarge reads the i-th item if the w-th of the writers has put it.
func checkLarge(t *testing.T, v *table.View, w, i, size int) {
	if i%4 != w {
		return
	}
	it, err := v.Get(t.Context(), fmt.Sprint(i))
	if err != nil {
		t.Error(err)
		return
	}
	if got, _ := it.Attr["a"].([]byte); !bytes.Equal(got, largeValue(i, size)) {
		t.Errorf("item %d is wrong", i)
	}
}

// residentBytes returns how much of the driver's file is in the resident set of the process.
func residentBytes(t *testing.T, d *disk) int {
	t.Helper()
	maps, err := os.ReadFile("/proc/self/smaps")
	require.NoError(t, err)
	_, mapping, found := strings.Cut(string(maps), " "+d.db.Path()+"\n")
	require.True(t, found)
	_, rss, _ := strings.Cut(mapping, "Rss:")
	kilobytes, err := strconv.Atoi(strings.Fields(rss)[0])
	require.NoError(t, err)
	return kilobytes << 10
}
