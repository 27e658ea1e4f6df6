package runner

import (
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/carrel-go/carrel/agent"
)

// execution runs a run until it has ended, is handed over or is lost. It has one goroutine at a time, for three parts:
// before the agent, the agent, and after it. A function of the host may end its goroutine, as the FailNow of a test
// does, and the agent, which waits for a model most of the time, begins with a small stack.
type execution struct {
	*active
	stopKeeping func()
	left        func() // called when the run has left this process
	task        *task  // nil if the agent is not asked
	ending      ending
}

// ending is how the agent of a run has ended.
type ending struct {
	Result
	done agent.Done
}

// executeRun runs the run, and calls left at the end.
func (a *active) executeRun(left func()) {
	x := &execution{active: a, stopKeeping: a.startKeeping(), left: left}
	resumed, err := a.enterRun()
	if err != nil {
		x.exit(err)
		return
	}
	x.fail(errHostGone)
	defer x.endPreparation()
	x.task, err = a.prepareAgent(resumed, &x.ending)
	if err != nil {
		x.fail(err)
	}
}

// endPreparation waits for the log and starts the next part. It is deferred.
func (x *execution) endPreparation() {
	if v := recover(); v != nil {
		x.fail(newPanicError(v))
	}
	if err := x.awaitLog(); err != nil {
		if x.task != nil {
			x.task.stop()
			x.task = nil
		}
		if entry, ok := errors.AsType[*entryError](err); ok {
			go x.exit(entry.error)
			return
		}
		x.fail(err)
	}
	if x.task != nil {
		go x.runAgent()
	} else {
		go x.complete()
	}
}

// runAgent runs the agent. The frames of this function and of those that it calls until a model answers are small,
// since a process has many runs that wait.
func (x *execution) runAgent() {
	defer x.endAgent()
	if err := x.streamEvents(x.task, &x.ending); err != nil {
		x.fail(err)
	}
}

// endAgent starts the last part. It is deferred.
func (x *execution) endAgent() {
	if v := recover(); v != nil {
		x.fail(newPanicError(v))
	}
	x.task.stop()
	go x.complete()
}

// complete does everything from the end of the agent on.
func (x *execution) complete() {
	if reason := x.reasonToLeave(x.ending.Err); reason != nil {
		x.exit(reason)
		return
	}
	x.exit(x.finishRun(x.ending.Result, x.ending.done))
}

func (x *execution) fail(err error) { x.ending.Result = newFailure(err) }

func (x *execution) exit(err error) {
	x.exitRun(err, x.stopKeeping)
	x.left()
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
		defer func() {
			if v := recover(); v != nil {
				err = newPanicError(v)
			}
		}()
		err = f()
	}()
	<-done
	return err
}
