package runner

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// WaitAll waits until this process does not have a run any more, or until ctx ends. Together with [Runner.HandOver] it
// is for a process that is frozen between its requests, such as a function of AWS Lambda.
func (r *Runner) WaitAll(ctx context.Context) error {
	for {
		runs := r.liveRuns()
		if len(runs) == 0 {
			return nil
		}
		if err := waitForRuns(ctx, runs); err != nil {
			return err
		}
	}
}

// HandOver hands the present runs of this process over to others, like [Runner.Shutdown], but further runs may start.
// Any process can continue them at once, this one too. When ctx ends, runs that have not reached a checkpoint are
// interrupted. HandOver then waits for at most the time of a lease, and returns an error if a run is still there.
func (r *Runner) HandOver(ctx context.Context) error {
	runs := r.liveRuns()
	for _, a := range runs {
		a.handOver()
	}
	if waitForRuns(ctx, runs) == nil {
		return nil
	}
	for _, a := range runs {
		a.interruptWork(errHandover)
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.o.Lease)
	defer cancel()
	if err := waitForRuns(last, runs); err != nil {
		return fmt.Errorf("runner: hand over: a function of the host does not return: %w", err)
	}
	return nil
}

func (r *Runner) liveRuns() []*active {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Collect(maps.Values(r.live))
}

// waitForRuns waits until the runs have left this process.
func waitForRuns(ctx context.Context, runs []*active) error {
	for _, a := range runs {
		if err := awaitClosed(ctx, a.done); err != nil {
			return err
		}
	}
	return nil
}
