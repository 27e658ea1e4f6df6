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
		growStack()
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

// sendStack is more than half of the 32 KB, so that the next size is enough.
const sendStack = 17 << 10

// growStack makes the stack of its goroutine large at once. Otherwise it would be copied at each doubling.
//
//go:noinline
func growStack() {
	var frame [sendStack]byte
	touch(&frame)
}

//go:noinline
func touch(frame *[sendStack]byte) { frame[0] = 1 }
