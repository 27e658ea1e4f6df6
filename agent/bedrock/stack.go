package bedrock

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// onOwnStack calls f in a goroutine and waits for it. The SDK needs 32 KB of stack to send a request. The goroutine's
// stack is free afterwards, while that of the caller would keep the size for as long as it waits for the answer, which
// doubles the memory of a process with many streams. A panic of f is a panic of the caller, and so is the end of its
// goroutine.
func onOwnStack(f func()) {
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
