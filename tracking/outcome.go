package tracking

import "time"

// outcome is the summary of the stages of a record.
type outcome struct {
	status     Status
	reason     string // why the status is FAILED
	terminal   bool   // nothing is left to do
	unfinished Error  // if terminal: the failure of the stages that are still open
}

// summarizeStages returns the outcome of the stages, which must begin with those
// of the pipeline in their order.
func (m machine) summarizeStages(stages []Progress) outcome {
	started, succeeded := false, true
	var failed *Progress // a failure that is final, if there is one; otherwise the first
	final := false
	for i, s := range m.pipeline.Stages {
		p := &stages[i]
		started = started || p.State != StateQueued
		if s.Optional {
			continue
		}
		succeeded = succeeded && p.State == StateSuccess
		if p.State == StateFailed && (failed == nil || !final && s.isFinal(*p)) {
			failed, final = p, s.isFinal(*p)
		}
	}
	switch {
	case succeeded:
		return outcome{status: StatusSuccess, terminal: true,
			unfinished: Error{Code: codeUnneeded, Message: "The upload was finished without it.", Retryable: true}}
	case final && failed.Error.Retryable:
		return outcome{status: StatusFailed, reason: reasonMaxAttempts, terminal: true, unfinished: failedElsewhere}
	case final:
		return outcome{status: StatusFailed, reason: failed.Error.Code, terminal: true, unfinished: failedElsewhere}
	case failed != nil:
		return outcome{status: StatusFailed, reason: failed.Error.Code}
	case started:
		return outcome{status: StatusInProgress}
	}
	return outcome{status: StatusQueued}
}

var failedElsewhere = Error{Code: codeUnneeded, Message: "Another step failed for good.", Retryable: true}

// isFinal reports whether the stage has failed and cannot be retried.
func (s StageSpec) isFinal(p Progress) bool {
	if p.State != StateFailed || p.Parked {
		return false
	}
	return !p.Error.Retryable || (!s.External && p.Attempt >= s.MaxAttempts)
}

// nextDue returns when the record is overdue: at the earliest due of the stages
// that run; otherwise at idleDue or, if later, at the due of a stage that waits
// for review.
func (r Record) nextDue(idleDue time.Time) time.Time {
	var runs time.Time
	for _, p := range r.stages {
		switch {
		case p.State == StateWaiting && p.Due.After(idleDue):
			idleDue = p.Due
		case p.State == StateRunning && !p.Due.IsZero() && (runs.IsZero() || p.Due.Before(runs)):
			runs = p.Due
		}
	}
	if !runs.IsZero() {
		return runs
	}
	return idleDue
}

// currentStage returns the stage that a list shows of the record: the first that
// a worker holds; otherwise one that was released, that waits for review, that
// failed, that is awaited, or that comes next; otherwise the last that ended.
func (m machine) currentStage(r Record) Stage {
	candidates := make([]StageSpec, 0, len(m.pipeline.Stages))
	for _, s := range m.pipeline.Stages { // required stages come first
		if !s.Optional {
			candidates = append(candidates, s)
		}
	}
	for _, s := range m.pipeline.Stages {
		if s.Optional && r.Stage(s.Stage).isOpen() {
			candidates = append(candidates, s)
		}
	}
	for _, matches := range []func(Progress) bool{
		Progress.hasWorker,
		func(p Progress) bool { return p.State == StateReleased },
		func(p Progress) bool { return p.State == StateWaiting },
		func(p Progress) bool { return p.State == StateFailed && p.Error.Code != codeUnneeded },
		func(p Progress) bool { return p.State == StateRunning },
		func(p Progress) bool { return p.State == StateQueued && !r.Terminal },
	} {
		for _, s := range candidates {
			if p := r.Stage(s.Stage); matches(p) {
				return p.Stage
			}
		}
	}
	var last Progress
	for _, s := range candidates {
		if p := r.Stage(s.Stage); p.State == StateSuccess && !p.Ended.Before(last.Ended) {
			last = p
		}
	}
	return last.Stage
}
