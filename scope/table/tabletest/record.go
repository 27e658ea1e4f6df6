package tabletest

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
)

// tester is the part of [testing.T] that checks use.
type tester interface {
	Helper()
	Errorf(format string, args ...any)
	FailNow()
	Failed() bool
	Context() context.Context
}

// recorder is a tester that records failures.
type recorder struct {
	ctx context.Context

	mu     sync.Mutex
	errors []string
	failed bool
}

// record runs f in a goroutine, which [recorder.FailNow] ends, and waits for it.
func record(ctx context.Context, f func(*recorder)) *recorder {
	r := &recorder{ctx: ctx}
	var wg sync.WaitGroup
	wg.Go(func() { f(r) })
	wg.Wait()
	return r
}

func (r *recorder) Helper()                  {}
func (r *recorder) Context() context.Context { return r.ctx }

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = true
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

func (r *recorder) FailNow() {
	r.mu.Lock()
	r.failed = true
	r.mu.Unlock()
	runtime.Goexit()
}

func (r *recorder) Failed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed
}

func (r *recorder) text() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.errors, "; ")
}
