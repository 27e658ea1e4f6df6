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

// verdicts are what is wrong with a history, reported by property.
type verdicts struct {
	found *failures
	first error
}

func (v *verdicts) no(check, format string, args ...any) {
	err := fmt.Errorf(format, args...)
	if v.first == nil {
		v.first = err
	}
	v.found.add(check, err)
}

func (v *verdicts) err() error { return v.first }

// history judges the rows of a session, in the order of their versions, and
// returns the records in them.
func (v *verdicts) history(p tracking.Pipeline, s scope.Scope, rows []written) []tracking.Record {
	var out []tracking.Record
	for i, w := range rows {
		r, err := read(p, s, w.row)
		if err != nil {
			v.no(Answers, "row %d, by %s, cannot be read: %w", i, w.by.name, err)
			return out
		}
		if r.Version != int64(i+1) {
			v.no(NoLost, "row %d, by %s, is of version %d", i+1, w.by.name, r.Version)
			return out
		}
		v.record(p, r, w)
		if i > 0 {
			v.step(p, out[i-1], r, w)
			if w.by == rows[i-1].by && w.by.fence == 0 && w.by.session == s {
				v.no(Replay, "rows %d and %d are of one %s", i, i+1, w.by.name)
			}
		}
		out = append(out, r)
	}
	return out
}

// record judges one record by itself.
func (v *verdicts) record(p tracking.Pipeline, r tracking.Record, w written) {
	succeeded := true
	for _, spec := range p.Stages {
		st := r.Stage(spec.Stage)
		succeeded = succeeded && (spec.Optional || st.State == tracking.StateSuccess)
		if most := attemptsOf(spec); st.Attempt > most {
			v.no(Attempts, "attempt %d of %s, which has %d", st.Attempt, st.Stage, most)
		}
		ended := st.State == tracking.StateSuccess || st.State == tracking.StateFailed
		if ended == st.Ended.IsZero() || ended && st.Ended.Before(st.Started) {
			v.no(Durations, "%s is %s, started at %v and ended at %v", st.Stage, st.State, st.Started, st.Ended)
		}
		if r.Terminal && slices.Contains([]tracking.State{tracking.StateRunning, tracking.StateParked, tracking.StateReleased}, st.State) {
			v.no(Absorbing, "the record has ended, and %s is %s", st.Stage, st.State)
		}
	}
	if succeeded != (r.Status == tracking.StatusSuccess) || r.Status == tracking.StatusSuccess && !r.Terminal {
		v.no(Required, "the record is %s, terminal %t; all required stages succeeded: %t", r.Status, r.Terminal, succeeded)
	}
	if err := positive(r); err != nil {
		v.no(Durations, "%w", err)
	}
	if due := w.row.Index[table.I3-1]; r.Terminal != (due[0] == "") {
		v.no(DueIndex, "terminal %t, and in the due index as %q", r.Terminal, due)
	}
	if r.Terminal != r.Due.IsZero() {
		v.no(DueIndex, "terminal %t, and due %v", r.Terminal, r.Due)
	}
}

// attemptsOf returns how many attempts there are, by default ten.
func attemptsOf(s tracking.StageSpec) int {
	switch {
	case s.External:
		return 1
	case s.MaxAttempts == 0:
		return 10
	}
	return s.MaxAttempts
}

// positive looks for negative times in what browsers are shown.
func positive(r tracking.Record) error {
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

// step judges what a write has changed.
func (v *verdicts) step(p tracking.Pipeline, was, r tracking.Record, w written) {
	if was.Terminal {
		v.no(Absorbing, "the record had ended, and %s has changed it", w.by.name)
	}
	for _, spec := range p.Stages {
		a, b := was.Stage(spec.Stage), r.Stage(spec.Stage)
		final := a.State == tracking.StateSuccess || a.State == tracking.StateFailed && a.Error.Permanent && !a.Parked
		if final && !equalProgress(a, b) {
			v.no(Absorbing, "%s had ended as %s, and %s has changed it", a.Stage, a.State, w.by.name)
		}
		if b.Fence < a.Fence || b.Attempt < a.Attempt || a.Parked && !b.Parked {
			v.no(NoLost, "%s has taken back what was known of %s", w.by.name, a.Stage)
		}
		begun := b.State == tracking.StateRunning && (a.State != tracking.StateRunning || b.Fence != a.Fence)
		if begun && b.Fence != a.Fence+1 && !spec.External {
			v.no(OneFence, "%s changed hands from fence %d to %d", a.Stage, a.Fence, b.Fence)
		}
		v.attempts(spec, a, b, w)
		// Success comes from the one who holds the stage, or from a proof.
		if done := b.State == tracking.StateSuccess && a.State != tracking.StateSuccess; done && !spec.External {
			if w.by.fence == 0 || w.by.stage != a.Stage || b.Fence != w.by.fence {
				v.no(OneFence, "%s was completed by %s under fence %d, at fence %d", a.Stage, w.by.name, w.by.fence, b.Fence)
			}
		}
	}
	if w.by.fence == 0 {
		return
	}
	if held := was.Stage(w.by.stage); held.Fence != w.by.fence || held.State != tracking.StateRunning {
		v.no(OneFence, "a %s under fence %d changed %s, which was %s under fence %d",
			w.by.name, w.by.fence, held.Stage, held.State, held.Fence)
	}
}

func (v *verdicts) attempts(spec tracking.StageSpec, a, b tracking.Progress, w written) {
	if b.Attempt == a.Attempt {
		return
	}
	starts := w.by.name == "start" && w.by.stage == spec.Stage
	if b.Attempt != a.Attempt+1 || !spec.External && !starts || spec.External && a.Attempt > 0 || a.Parked {
		v.no(Attempts, "%s has made attempt %d of %s into %d", w.by.name, a.Attempt, a.Stage, b.Attempt)
	}
}

// equalProgress compares all of two stages that can be seen.
func equalProgress(a, b tracking.Progress) bool { return reflect.DeepEqual(a, b) }

// equalRecords compares all of two records that can be seen.
func equalRecords(a, b tracking.Record) bool {
	if a.Version != b.Version || a.Status != b.Status || a.Terminal != b.Terminal || !a.Due.Equal(b.Due) || a.Reason != b.Reason {
		return false
	}
	return slices.EqualFunc(slices.Collect(a.Stages()), slices.Collect(b.Stages()), equalProgress)
}
