// Package ownstack calls functions that need much stack and are not called often.
package ownstack

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// Call calls f in a goroutine with at least the given stack and waits for it. The goroutine's stack is free afterwards,
// while that of the caller would keep the size that f needs for as long as the caller waits for something else. That
// decides about the memory of a process in which many goroutines wait. A panic of f is a panic of the caller, and so is
// the end of its goroutine.
func Call(size Size, f func()) {
	var panicked any
	hasReturned := false
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if v := recover(); v != nil {
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
