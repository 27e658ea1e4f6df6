package runner

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/carrel-go/carrel/admission"
	"github.com/carrel-go/carrel/agent"
)

const (
	// codeBudget is the code of a run whose tenant has used its tokens up.
	codeBudget agent.Code = "budget"
	// reservation is how long the tokens of a step stay reserved if no process settles them.
	reservation = 30 * time.Minute
)

// countTokens keeps account of the tokens of a run: those of a step are reserved before the model is asked, and settled
// when it has answered.
func (a *active) countTokens(ev agent.Event) error {
	if a.runner.o.Admission == nil || a.runner.o.StepTokens == 0 {
		return nil
	}
	switch ev := ev.(type) {
	case agent.StepStarted:
		if err := a.settleTokens(); err != nil {
			return err
		}
		return a.reserveTokens(ev.Step)
	case agent.UsageReport:
		a.used += ev.Input + ev.Output + ev.CacheRead + ev.CacheWrite
	case agent.Compacted:
		a.used += ev.Usage.Input + ev.Usage.Output + ev.Usage.CacheRead + ev.Usage.CacheWrite
	case agent.StepFinished:
		return a.settleTokens()
	}
	return nil
}

func (a *active) stepName(step int) string { return fmt.Sprintf("%s.%d", a.agentRun(), step) }

// reserveTokens reserves the tokens of a step. It returns a *[agent.RunError] if the budget is used up.
func (a *active) reserveTokens(step int) error {
	var full *admission.FullError
	a.step, a.isReserved = step, true // also if the answer is lost
	err := a.repeatOperation(func(ctx context.Context) error {
		o, until := a.runner.o, time.Now().Add(reservation)
		err := o.Admission.Reserve(ctx, a.session, a.stepName(step), o.StepTokens, until)
		if errors.As(err, &full) {
			return nil
		}
		return err
	})
	if full != nil {
		a.isReserved = false
		message := "The token budget is used up. Try again in " + formatWait(full.RetryAfter) + "."
		return &agent.RunError{Code: codeBudget, Message: message, Retryable: true, Err: full}
	}
	return err
}

// formatWait returns a time to wait in words, rounded up.
func formatWait(d time.Duration) string {
	for _, unit := range []struct {
		size time.Duration
		name string
	}{{time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}} {
		n := int64((d + unit.size - 1) / unit.size)
		switch {
		case d > unit.size:
			return fmt.Sprintf("%d %ss", n, unit.name)
		case d == unit.size:
			return "1 " + unit.name
		}
	}
	return "1 second"
}

// settleTokens replaces the reservation of the newest step with the tokens that it used, or with the estimate if they
// are not known.
func (a *active) settleTokens() error {
	if !a.isReserved {
		return nil
	}
	used := a.used
	if used == 0 {
		used = a.runner.o.StepTokens
	}
	a.used, a.isReserved = 0, false
	return a.settleStep(a.step, used)
}

func (a *active) settleStep(step int, used int64) error {
	return a.repeatOperation(func(ctx context.Context) error {
		return a.runner.o.Admission.Settle(ctx, a.session, a.stepName(step), used)
	})
}

// settleOnLeaving settles the step that this process leaves unfinished, at the estimate. The process that takes the run
// over settles it too, but a process that was paused may reserve the tokens after that.
func (a *active) settleOnLeaving() {
	if !a.isReserved {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(a.runCtx), 2*time.Second)
	defer cancel()
	err := a.runner.retryOperation(ctx, func(ctx context.Context) error {
		return a.runner.o.Admission.Settle(ctx, a.session, a.stepName(a.step), a.runner.o.StepTokens)
	})
	if err != nil {
		a.runner.logError(ctx, "runner: the tokens of a step stay reserved for a while", a.run.ID, err)
	}
}

// settleLost settles the step that the process before may have begun after its last checkpoint, at the estimate.
func (a *active) settleLost() error {
	if a.runner.o.Admission == nil || a.runner.o.StepTokens == 0 || !a.run.TakenOver {
		return nil
	}
	tokens := a.runner.o.StepTokens
	return errors.Join(a.settleStep(a.checkpoint.Step, tokens), a.settleStep(a.checkpoint.Step+1, tokens))
}
