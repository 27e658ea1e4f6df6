package main

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"syscall"
	"time"
)

// slice is the approximate duration of one measurement.
const slice = 25 * time.Millisecond

// cost is the cost of one conversation: microseconds on the clock and of the process's CPU time, including the garbage
// collector's, and allocations.
type cost struct{ wall, cpu, allocs, bytes float64 }

// measure returns the costs of each contestant in each round. They take turns in short slices, so that other load on
// the machine affects all of them. It affects the CPU time less than the time on the clock.
func measure(ctx context.Context, all []contestant, rounds int) ([][]cost, error) {
	times := make([]int, len(all)) // conversations in a slice
	for i, c := range all {
		start := time.Now()
		for time.Since(start) < 4*slice {
			if err := c.run(ctx); err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
			times[i]++
		}
		times[i] = max(times[i]/4, 1)
	}
	seen := make([][]cost, len(all))
	for range max(rounds, 1) {
		for i, c := range all {
			k, err := once(ctx, c, times[i])
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
			seen[i] = append(seen[i], k)
		}
	}
	return seen, nil
}

// medians returns the median of each cost.
func medians(ks []cost) cost {
	median := func(of func(cost) float64) float64 {
		vs := make([]float64, len(ks))
		for i, k := range ks {
			vs[i] = of(k)
		}
		slices.Sort(vs)
		return vs[len(vs)/2]
	}
	return cost{
		median(func(k cost) float64 { return k.wall }), median(func(k cost) float64 { return k.cpu }),
		median(func(k cost) float64 { return k.allocs }), median(func(k cost) float64 { return k.bytes }),
	}
}

// once runs n conversations and returns their mean cost. It begins with a garbage collection, so that garbage of
// another contestant is not counted.
func once(ctx context.Context, c contestant, n int) (cost, error) {
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	cpu, start := cpuTime(), time.Now()
	for range n {
		if err := c.run(ctx); err != nil {
			return cost{}, err
		}
	}
	wall, spent := time.Since(start), cpuTime()-cpu
	runtime.ReadMemStats(&after)
	per := func(v float64) float64 { return v / float64(n) }
	return cost{
		wall: per(float64(wall.Nanoseconds()) / 1e3), cpu: per(float64(spent.Nanoseconds()) / 1e3),
		allocs: per(float64(after.Mallocs - before.Mallocs)), bytes: per(float64(after.TotalAlloc - before.TotalAlloc)),
	}, nil
}

// cpuTime returns the CPU time that the process has used so far.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
