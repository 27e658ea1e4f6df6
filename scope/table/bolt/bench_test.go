package bolt

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

// disks add the time that a slow disk takes to sync to every transaction.
var disks = []struct {
	name string
	sync time.Duration
}{{"disk", 0}, {"13ms", 13 * time.Millisecond}}

// BenchmarkWrites compares writes that share commits with one transaction for each
// write:
//
//	go test -run - -bench . -benchtime 2s ./scope/table/bolt
//
// Each of the writers waits for its write before it makes the next.
func BenchmarkWrites(b *testing.B) {
	for _, disk := range disks {
		for _, writers := range []int{1, 16, 256} {
			for _, grouped := range []bool{true, false} {
				b.Run(fmt.Sprintf("%s/%d-writers/grouped=%t", disk.name, writers, grouped), func(b *testing.B) {
					v, commits := openView(b, disk.sync, grouped)
					b.ReportAllocs()
					b.ResetTimer()
					err := runWriters(b, v, writers)
					b.StopTimer()
					require.NoError(b, err)
					b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "writes/s")
					b.ReportMetric(float64(b.N)/float64(commits.Load()), "writes/commit")
				})
			}
		}
	}
}

// BenchmarkStarts has 400 workers read and change an item each at the same time,
// as 400 runs do that start at once, and reports how long they wait.
func BenchmarkStarts(b *testing.B) {
	for _, disk := range disks {
		for _, grouped := range []bool{true, false} {
			b.Run(fmt.Sprintf("%s/grouped=%t", disk.name, grouped), func(b *testing.B) {
				v, _ := openView(b, disk.sync, grouped)
				var waits []time.Duration
				for b.Loop() {
					waits = append(waits, startAtOnce(b, v, 400)...)
				}
				slices.Sort(waits)
				b.ReportMetric(float64(waits[len(waits)/2].Milliseconds()), "p50-ms")
				b.ReportMetric(float64(waits[len(waits)*99/100].Milliseconds()), "p99-ms")
			})
		}
	}
}

// openView opens a driver whose transactions take sync longer, and counts them.
// Its writes share transactions if grouped is set.
func openView(b *testing.B, sync time.Duration, grouped bool) (*table.View, *atomic.Int64) {
	d, err := Open(b.TempDir())
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, d.Close()) })
	var commits atomic.Int64
	d.writes.update = func(f func(*bbolt.Tx) error) error {
		return d.db.Update(func(tx *bbolt.Tx) error {
			commits.Add(1)
			if err := f(tx); err != nil {
				return err
			}
			time.Sleep(sync)
			return nil
		})
	}
	var driver table.Driver = d
	if !grouped {
		driver = single{Driver: d, update: d.writes.update}
	}
	s, err := scope.Tenant("acme")
	require.NoError(b, err)
	v, err := must.Get(table.New(driver, nil)).In(s)
	require.NoError(b, err)
	return v, &commits
}

// startAtOnce returns how long each of n workers waited.
func startAtOnce(b *testing.B, v *table.View, n int) []time.Duration {
	waits := make([]time.Duration, n)
	begin := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-begin
			start := time.Now()
			it, err := v.Get(b.Context(), fmt.Sprint(i))
			cond := table.Version(it.Version)
			if errors.Is(err, table.ErrNotFound) {
				it, cond = benchItem(fmt.Sprint(i)), table.Absent()
			}
			if _, err := v.Put(b.Context(), it, cond); err != nil {
				b.Error(err)
			}
			waits[i] = time.Since(start)
		})
	}
	close(begin)
	wg.Wait()
	return waits
}

// benchItem returns an item of about the size of an upload's record.
func benchItem(sort string) table.Item {
	return table.Item{
		Sort: sort,
		Index: []table.Entry{
			{Slot: table.I2, Level: scope.TenantLevel, Class: "active", Sort: sort},
			{Slot: table.I3, Level: scope.None, Class: "due", Sort: sort},
		},
		Attr: map[string]table.Value{"class": "active", "filename": "cover.jpg", "digest": make([]byte, 600)},
	}
}

// runWriters makes b.N writes, shared among the writers.
func runWriters(b *testing.B, v *table.View, writers int) error {
	var left atomic.Int64
	left.Store(int64(b.N))
	errs := make(chan error, writers)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			it, cond := benchItem(fmt.Sprint(w)), table.Absent()
			for left.Add(-1) >= 0 {
				var err error
				if it, err = v.Put(b.Context(), it, cond); err != nil {
					errs <- err
					return
				}
				cond = table.Version(it.Version)
			}
		})
	}
	wg.Wait()
	close(errs)
	return <-errs
}

// single is the driver with one transaction for each Put.
type single struct {
	table.Driver
	update func(func(*bbolt.Tx) error) error
}

func (d single) Put(_ context.Context, k table.Key, r table.Row, c table.Cond) error {
	r.Partition, r.Sort = k.Partition(), k.Sort()
	return d.update(func(tx *bbolt.Tx) error {
		stored, err := getIfHolds(tx, k, c)
		if err != nil {
			return err
		}
		e, err := encodeEntry(r)
		if err != nil {
			return err
		}
		return e.put(tx, stored)
	})
}
