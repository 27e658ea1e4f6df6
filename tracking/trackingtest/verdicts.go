package trackingtest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tracking"
)

// verdicts collects the failures of a history by property.
type verdicts struct {
	found *findings
	first error
}

func (v *verdicts) reportFailure(check, format string, args ...any) {
	err := fmt.Errorf(format, args...)
	if v.first == nil {
		v.first = err
	}
	v.found.addFinding(check, err)
}

// judgeHistory checks the rows of a session, in the order of their versions, and
// returns their records.
func (v *verdicts) judgeHistory(p tracking.Pipeline, s scope.Scope, rows []written) []tracking.Record {
	var out []tracking.Record
	for i, w := range rows {
		r, err := readRow(p, s, w.row)
		if err != nil {
			v.reportFailure(propAnswers, "row %d, by %s, cannot be read: %w", i, w.by.name, err)
			return out
		}
		if i > 0 && r.Version != out[i-1].Version+1 {
			v.reportFailure(propNoLost, "row %d, by %s, has version %d", i+1, w.by.name, r.Version)
			return out
		}
		v.judgeRecord(p, r, w)
		if i > 0 {
			v.judgeChange(p, out[i-1], r, w)
			if w.by == rows[i-1].by && w.by.fence == 0 && w.by.session == s {
				v.reportFailure(propReplay, "one %[3]s stored rows %[1]d and %[2]d", i, i+1, w.by.name)
			}
		}
		out = append(out, r)
	}
	return out
}

// judgeRecord checks a single record.
func (v *verdicts) judgeRecord(p tracking.Pipeline, r tracking.Record, w written) {
	succeeded := true
	for _, spec := range p.Stages {
		st := r.Stage(spec.Stage)
		succeeded = succeeded && (spec.Optional || st.State == tracking.StateSuccess)
		if most := attemptsOf(spec); st.Attempt > most {
			v.reportFailure(propAttempts, "attempt %d of %s, which allows %d", st.Attempt, st.Stage, most)
		}
		ended := st.State == tracking.StateSuccess || st.State == tracking.StateFailed
		if ended == st.Ended.IsZero() || ended && st.Ended.Before(st.Started) {
			v.reportFailure(propDurations, "%s is %s, started at %v and ended at %v", st.Stage, st.State, st.Started, st.Ended)
		}
		if r.Terminal && slices.Contains([]tracking.State{tracking.StateRunning, tracking.StateWaiting,
			tracking.StateReleased}, st.State) {
			v.reportFailure(propAbsorbing, "the record has ended, but %s is %s", st.Stage, st.State)
		}
	}
	if succeeded != (r.Status == tracking.StatusSuccess) || r.Status == tracking.StatusSuccess && !r.Terminal {
		v.reportFailure(propRequired, "the record is %s (terminal: %t); all required stages succeeded: %t", r.Status,
			r.Terminal, succeeded)
	}
	if err := checkDurations(r); err != nil {
		v.reportFailure(propDurations, "%w", err)
	}
	if due := w.row.Index[table.I3-1]; r.Terminal != (due[0] == "") {
		v.reportFailure(propDueIndex, "terminal: %t; in the due index: %q", r.Terminal, due)
	}
	if r.Terminal != r.Due.IsZero() {
		v.reportFailure(propDueIndex, "terminal: %t; due: %v", r.Terminal, r.Due)
	}
}

// attemptsOf returns the number of attempts that a stage allows.
func attemptsOf(s tracking.StageSpec) int {
	switch {
	case s.External:
		return 1
	case s.MaxAttempts == 0:
		return 10
	}
	return s.MaxAttempts
}

// checkDurations returns an error if the JSON of the record contains a negative duration.
func checkDurations(r tracking.Record) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	var shown struct {
		Stages []struct {
			Name string   `json:"stage_name"`
			Time *float64 `json:"processing_time"`
		} `json:"stage_progress"`
	}
	if err := json.Unmarshal(text, &shown); err != nil {
		return err
	}
	for _, st := range shown.Stages {
		if st.Time != nil && *st.Time < 0 {
			return fmt.Errorf("%s took %v s", st.Name, *st.Time)
		}
	}
	return nil
}

// judgeChange checks the change of one write.
func (v *verdicts) judgeChange(p tracking.Pipeline, was, r tracking.Record, w written) {
	if was.Terminal {
		v.reportFailure(propAbsorbing, "the record had ended, but %s changed it", w.by.name)
	}
	for _, spec := range p.Stages {
		v.judgeStage(spec, was.Stage(spec.Stage), r.Stage(spec.Stage), w)
	}
	if w.by.fence == 0 {
		return
	}
	if held := was.Stage(w.by.stage); held.Fence != w.by.fence || held.State != tracking.StateRunning {
		v.reportFailure(propOneFence, "a %s with fence %d changed %s, which was %s with fence %d",
			w.by.name, w.by.fence, held.Stage, held.State, held.Fence)
	}
}

// judgeStage checks the change of a stage from a to b by one write.
func (v *verdicts) judgeStage(spec tracking.StageSpec, a, b tracking.Progress, w written) {
	final := a.State == tracking.StateSuccess || a.State == tracking.StateFailed && !a.Error.Retryable && !a.Parked
	if final && !reflect.DeepEqual(a, b) {
		v.reportFailure(propAbsorbing, "%s had ended as %s, but %s changed it", a.Stage, a.State, w.by.name)
	}
	if b.Fence < a.Fence || b.Attempt < a.Attempt || a.Parked && !b.Parked {
		v.reportFailure(propNoLost, "%s reverted progress of %s", w.by.name, a.Stage)
	}
	begun := b.State == tracking.StateRunning && (a.State != tracking.StateRunning || b.Fence != a.Fence)
	if begun && b.Fence != a.Fence+1 && !spec.External {
		v.reportFailure(propOneFence, "%s changed hands from fence %d to %d", a.Stage, a.Fence, b.Fence)
	}
	v.judgeAttempts(spec, a, b, w)
	// A stage succeeds by its holder or by an observation.
	if done := b.State == tracking.StateSuccess && a.State != tracking.StateSuccess; done && !spec.External {
		if w.by.fence == 0 || w.by.stage != a.Stage || b.Fence != w.by.fence {
			v.reportFailure(propOneFence, "%s was completed by %s with fence %d, but has fence %d", a.Stage, w.by.name,
				w.by.fence, b.Fence)
		}
	}
}

func (v *verdicts) judgeAttempts(spec tracking.StageSpec, a, b tracking.Progress, w written) {
	if b.Attempt == a.Attempt {
		return
	}
	starts := w.by.name == "claim" && w.by.stage == spec.Stage && a.State != tracking.StateReleased
	if b.Attempt != a.Attempt+1 || !spec.External && !starts || spec.External && a.Attempt > 0 || a.Parked {
		v.reportFailure(propAttempts, "%s changed attempt %d of %s into %d", w.by.name, a.Attempt, a.Stage, b.Attempt)
	}
}

// equalRecords compares the exported fields of two records.
func equalRecords(a, b tracking.Record) bool {
	if a.Version != b.Version || a.Status != b.Status || a.Terminal != b.Terminal || !a.Due.Equal(b.Due) ||
		a.Reason != b.Reason {
		return false
	}
	return reflect.DeepEqual(slices.Collect(a.Stages()), slices.Collect(b.Stages()))
}
