// Package ownstack calls functions that need much stack and are not called often.
package ownstack

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// Call calls f in a goroutine with at least the given stack and waits for it. The goroutine's stack is free afterwards.
// The stack of the caller stays small, which matters if many callers then wait for something else.
//
// If f panics, Call panics with an error that has the value of the panic and the stack of f. If f ends its goroutine,
// Call ends that of the caller.
func Call(size Size, f func()) {
	var panicked any
	hasReturned := false
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			switch v := recover().(type) {
			case nil:
			case error:
				panicked = fmt.Errorf("%w\n%s", v, debug.Stack())
			default:
				panicked = fmt.Errorf("%v\n%s", v, debug.Stack())
			}
		}()
		Grow(size)
		f()
		hasReturned = true
	}()
	<-done
	switch {
	case panicked != nil:
		panic(panicked)
	case !hasReturned:
		runtime.Goexit()
	}
}
