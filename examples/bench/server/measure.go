package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// result is what one measurement of a contestant has found.
type result struct {
	streams             int // at a time
	rounds              int // of streams
	lag50, lag99        time.Duration
	first50, first99    time.Duration
	cpu                 time.Duration // for each stream
	resident, anonymous int64         // for each concurrent stream
	total               int64         // resident, of the process
	slope               int64         // of total, for each stream above the first number; 0 for that number
	left                left
	load                loadResult
}

// left counts the resources that a server has gained between the time before the streams and the time after them.
type left struct {
	goroutines, files int
	resident          int64
}

// loadResult is how well the clients and the model did.
type loadResult struct {
	late99 time.Duration // how late the model sent its text, 99th percentile
	busy   float64       // share of its core
}

// settings are the same for all measurements.
type settings struct {
	rounds         int
	ramp           time.Duration
	maxCPU, maxRSS float64 // largest ratios to the floor; 0 accepts any
	only           string  // name of the only contestant, or empty
	profiles       string  // directory for profiles of the contestants, or empty
}

// measure runs the streams against a new process of the contestant.
func measure(ctx context.Context, c contestant, m *model, streams int, s settings) (_ result, err error) {
	r := result{streams: streams, rounds: s.rounds}
	requests, err := c.prepare(ctx, streams, s.rounds)
	if err != nil {
		return r, fmt.Errorf("prepare: %w", err)
	}
	p, err := c.start(ctx)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	goroutines, err := countGoroutines(ctx, c.profiles(p))
	if err != nil {
		return r, err
	}
	time.Sleep(500 * time.Millisecond)
	before, err := p.usage()
	if err != nil {
		return r, err
	}
	runtime.GC()
	m.late = newHistogram()
	l, own, start := newLoad(), ownCPU(), time.Now()
	done := make(chan error, 1)
	go func() { done <- l.run(ctx, requests, s.ramp) }()
	if s.profiles != "" {
		go writeProfiles(ctx, c, p, streams, s)
	}
	peaks, err := watchMemory(p, done, start.Add(s.ramp), start.Add(time.Duration(s.rounds)*idealTime))
	if err != nil {
		return r, err
	}
	r.load.busy = float64(ownCPU()-own) / float64(time.Since(start))
	after, err := p.usage()
	if err != nil {
		return r, err
	}
	r.cpu = (after.cpu - before.cpu) / time.Duration(l.ended.Load())
	r.total = peaks.resident
	r.resident = (peaks.resident - before.resident) / int64(streams)
	r.anonymous = (peaks.anonymous - before.anonymous) / int64(streams)
	r.lag50, r.lag99 = l.lag.quantile(0.5), l.lag.quantile(0.99)
	r.first50, r.first99 = l.first.quantile(0.5), l.first.quantile(0.99)
	r.load.late99 = m.late.quantile(0.99)
	l.client.CloseIdleConnections()
	m.closeConnections()
	r.left, err = lookForRest(ctx, c, p, before, goroutines)
	return r, err
}

// watchMemory samples the process until the load has ended, and returns the median of the samples of the time in which
// all streams are open.
func watchMemory(p *process, done <-chan error, from, to time.Time) (usage, error) {
	var resident, anonymous []int64
	sample := time.NewTicker(100 * time.Millisecond)
	defer sample.Stop()
	for {
		select {
		case err := <-done:
			if err == nil && len(resident) == 0 {
				err = errors.New("no sample of the memory: more rounds are needed")
			}
			if err != nil {
				return usage{}, err
			}
			slices.Sort(resident)
			slices.Sort(anonymous)
			return usage{resident: resident[len(resident)/2], anonymous: anonymous[len(anonymous)/2]}, nil
		case now := <-sample.C:
			if now.Before(from) || now.After(to) {
				continue
			}
			u, err := p.usage()
			if err != nil {
				return usage{}, err
			}
			resident, anonymous = append(resident, u.resident), append(anonymous, u.anonymous)
		}
	}
}

// settleTime is how long a server may take to release what its streams have used.
const settleTime = 5 * time.Second

// lookForRest waits until the process has as many goroutines and files as before, or for the time to settle.
func lookForRest(ctx context.Context, c contestant, p *process, before usage, goroutines int) (left, error) {
	for end := time.Now().Add(settleTime); ; time.Sleep(200 * time.Millisecond) {
		n, err := countGoroutines(ctx, c.profiles(p))
		if err != nil {
			return left{}, err
		}
		u, err := p.usage()
		if err != nil {
			return left{}, err
		}
		l := left{n - goroutines, u.files - before.files, u.resident - before.resident}
		if l.goroutines <= 0 && l.files <= 0 || time.Now().After(end) {
			return l, nil
		}
	}
}

// profileClient keeps no connection, which would be counted.
var profileClient = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// countGoroutines returns the number of goroutines after a garbage collection.
func countGoroutines(ctx context.Context, url string) (int, error) {
	if _, err := getProfile(ctx, url+"/debug/pprof/heap?gc=1"); err != nil {
		return 0, err
	}
	b, err := getProfile(ctx, url+"/debug/pprof/goroutine?debug=1")
	if err != nil {
		return 0, err
	}
	m := regexp.MustCompile(`total (\d+)`).FindSubmatch(b)
	if m == nil {
		return 0, fmt.Errorf("%s: %.100q", url, b)
	}
	return strconv.Atoi(string(m[1]))
}

// writeProfiles stores profiles of the time in which all streams are open: the heap and the goroutines at its
// beginning, the CPU during it, and the mappings of the process at its end.
func writeProfiles(ctx context.Context, c contestant, p *process, streams int, s settings) {
	time.Sleep(s.ramp)
	url := c.profiles(p) + "/debug/pprof/"
	prefix := filepath.Join(s.profiles, fmt.Sprintf("%s-%d-", c.name(), streams))
	seconds := int((time.Duration(s.rounds)*idealTime - s.ramp).Seconds())
	var errs []error
	for _, f := range [][2]string{
		{"heap", "heap"}, {"memstats.txt", "heap?debug=1"}, {"goroutines.txt", "goroutine?debug=1"},
		{"cpu", fmt.Sprintf("profile?seconds=%d", max(seconds, 1))},
	} {
		b, err := getProfile(ctx, url+f[1])
		if err == nil {
			err = os.WriteFile(prefix+f[0], b, 0o600)
		}
		errs = append(errs, err)
	}
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps", p.cmd.Process.Pid))
	if err == nil {
		err = os.WriteFile(prefix+"smaps.txt", maps, 0o600)
	}
	if err := errors.Join(append(errs, err)...); err != nil {
		fmt.Fprintln(os.Stderr, "profiles:", err)
	}
}

func getProfile(ctx context.Context, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	res, err := profileClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	return io.ReadAll(res.Body)
}

// ownCPU returns the CPU time that this process has used so far.
func ownCPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
