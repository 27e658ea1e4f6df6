package runner

import (
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/internal/ownstack"
)

// execution runs a run until it has ended, is handed over or is lost. It has one goroutine at a time, for three parts:
// before the agent, the agent, and after it. A function of the host may end its goroutine, as the FailNow of a test
// does, and the agent, which waits for a model most of the time, begins with a small stack.
type execution struct {
	*active
	stopKeeping func()
	onLeave     func() // called when the run has left this process
	task        *task  // nil if the agent is not asked
	result      agentResult
}

// agentResult is how the agent of a run has ended.
type agentResult struct {
	Result
	done agent.Done
}

// executeRun runs the run, and calls onLeave at the end.
func (a *active) executeRun(onLeave func()) {
	ownstack.Grow(ownstack.KB16)
	x := &execution{active: a, stopKeeping: a.startKeeping(), onLeave: onLeave}
	resumed, err := a.enterRun()
	if err != nil {
		x.leaveProcess(err)
		return
	}
	x.setFailure(errHostGone)
	defer x.endPreparation()
	x.task, err = a.prepareAgent(resumed, &x.result)
	if err != nil {
		x.setFailure(err)
	}
}

// endPreparation waits for the log and starts the next part. It is deferred.
func (x *execution) endPreparation() {
	if v := recover(); v != nil {
		x.setFailure(newPanicError(v))
	}
	if err := x.awaitLog(); err != nil {
		if x.task != nil {
			x.task.stop()
			x.task = nil
		}
		if entry, ok := errors.AsType[*entryError](err); ok {
			go x.leaveProcess(entry.error)
			return
		}
		x.setFailure(err)
	}
	if x.task != nil {
		go x.runAgent()
	} else {
		go x.completeRun()
	}
}

// runAgent runs the agent. The frames of this function and of those that it calls until a model answers are small,
// since a process has many runs that wait.
func (x *execution) runAgent() {
	defer x.endAgent()
	if err := x.streamEvents(x.task, &x.result); err != nil {
		x.setFailure(err)
	}
}

// endAgent starts the last part. It is deferred.
func (x *execution) endAgent() {
	if v := recover(); v != nil {
		x.setFailure(newPanicError(v))
	}
	x.task.stop()
	go x.completeRun()
}

// completeRun does everything from the end of the agent on.
func (x *execution) completeRun() {
	if reason := x.reasonToLeave(x.result.Err); reason != nil {
		x.leaveProcess(reason)
		return
	}
	x.leaveProcess(x.finishRun(x.result.Result, x.result.done))
}

func (x *execution) setFailure(err error) { x.result.Result = newFailure(err) }

func (x *execution) leaveProcess(err error) {
	x.exitRun(err, x.stopKeeping)
	x.onLeave()
}

var errHostGone = errors.New("runner: the host ended its goroutine")

func newPanicError(v any) error {
	return fmt.Errorf("runner: the host panicked: %v\n%s", v, debug.Stack())
}

// callHost calls f, which calls functions of the host, in a goroutine. It returns an error if f panics or ends that
// goroutine, as the FailNow of a test does.
func callHost(f func() error) (err error) {
	err = errHostGone
	done := make(chan struct{})
	go func() {
		defer close(done)
		err = catchPanic(f)
	}()
	<-done
	return err
}

// catchPanic returns the error of f, or an error if f panics.
func catchPanic(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = newPanicError(v)
		}
	}()
	return f()
}
