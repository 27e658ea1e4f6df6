package bolt

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

// BenchmarkWrites compares writes that share commits with one transaction for
// each write, which is what the driver did before:
//
//	go test -run - -bench Writes -benchtime 2s ./scope/table/bolt
//
// Each of the writers waits for its write before it makes the next. "13ms" adds
// the time that a slow disk takes to sync to every transaction.
func BenchmarkWrites(b *testing.B) {
	for _, disk := range []struct {
		name string
		sync time.Duration
	}{{"disk", 0}, {"13ms", 13 * time.Millisecond}} {
		for _, writers := range []int{1, 16, 256} {
			for _, grouped := range []bool{true, false} {
				name := fmt.Sprintf("%s/%d-writers/grouped=%t", disk.name, writers, grouped)
				b.Run(name, func(b *testing.B) { benchmarkWrites(b, disk.sync, writers, grouped) })
			}
		}
	}
}

func benchmarkWrites(b *testing.B, sync time.Duration, writers int, grouped bool) {
	d, err := Open(b.TempDir())
	require.NoError(b, err)
	defer func() { require.NoError(b, d.Close()) }()
	var commits atomic.Int64
	update := func(f func(*bbolt.Tx) error) error {
		return d.db.Update(func(tx *bbolt.Tx) error {
			commits.Add(1)
			if err := f(tx); err != nil {
				return err
			}
			time.Sleep(sync)
			return nil
		})
	}
	d.writes.update = update
	var driver table.Driver = d
	if !grouped {
		driver = single{Driver: d, update: update}
	}
	s, err := scope.Tenant("acme")
	require.NoError(b, err)
	v, err := table.New(driver, nil).In(s)
	require.NoError(b, err)

	b.ReportAllocs()
	b.ResetTimer()
	err = runWriters(b, v, writers)
	b.StopTimer()
	require.NoError(b, err)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "writes/s")
	b.ReportMetric(float64(b.N)/float64(commits.Load()), "writes/commit")
}

// runWriters makes b.N writes, shared among the writers.
func runWriters(b *testing.B, v *table.View, writers int) error {
	var left atomic.Int64
	left.Store(int64(b.N))
	errs := make(chan error, writers)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			it := table.Item{Sort: fmt.Sprint(w), Attr: map[string]table.Value{"class": "active", "filename": "cover.jpg"}}
			cond := table.Absent()
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
		stored, err := getHeld(tx, k, c)
		if err != nil {
			return err
		}
		if stored != nil {
			if err := remove(tx, *stored); err != nil {
				return err
			}
		}
		e, err := encodeEntry(r)
		if err != nil {
			return err
		}
		return e.put(tx)
	})
}
