package trackingtest

import (
	"context"
	"fmt"
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

// findings reports the first failure of each property.
type findings struct {
	t    tester
	mu   sync.Mutex
	seen map[string]bool
}

func (f *findings) addFinding(property string, err error) {
	f.t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.seen[property] {
		f.seen[property] = true
		f.t.Errorf("%s: %v", property, err)
	}
}

// failCheck reports that the property of the check does not hold, and ends the check.
func (w *world) failCheck(format string, args ...any) {
	w.found.t.Helper()
	w.found.addFinding(w.property, fmt.Errorf(format, args...))
	w.found.t.FailNow()
}

// mustSucceed ends the check if err is not nil. doing names the operation.
func (w *world) mustSucceed(err error, doing string) {
	w.found.t.Helper()
	if err != nil {
		w.failCheck("%s: %w", doing, err)
	}
}
