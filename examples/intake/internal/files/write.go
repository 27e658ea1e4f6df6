package files

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/carrel-go/carrel/examples/intake/internal/kinds"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tracking"
)

const (
	maxSummary = 2000 // characters
	maxMeaning = 300
)

// Measure stores the measured part of a report, unless it has been stored. It returns [ErrNotClaimed] unless the run
// has claimed the stage [Profiled] of the file, and [ErrShared].
func (v *View) Measure(ctx context.Context, id, run string, r *Report) (*Report, error) {
	if _, err := v.getClaimed(ctx, id, run); err != nil {
		return nil, err
	}
	session, err := v.session(id)
	if err != nil {
		return nil, err
	}
	stored := *r
	stored.Measured, stored.Version = now(), 0
	if err := stored.fit(); err != nil {
		return nil, err
	}
	out, err := v.put(ctx, session, &stored, table.Absent())
	if conflict, ok := errors.AsType[*table.ConflictError](err); ok && conflict.Current != nil {
		return parseReport(*conflict.Current) // another try of the same run has stored it
	}
	return out, err
}

// getClaimed returns a file whose stage Profiled the run has claimed.
func (v *View) getClaimed(ctx context.Context, id, run string) (File, error) {
	f, err := v.Get(ctx, id)
	switch {
	case err != nil:
		return File{}, err
	case f.Shared:
		return File{}, ErrShared
	case run == "" || f.Run != run:
		return File{}, ErrNotClaimed
	}
	return f, nil
}

// Statement is the description of the data by an agent or a person.
type Statement struct {
	Kind     kinds.Kind
	Summary  string
	Meanings map[string]string
}

// check returns an error if the statement does not fit the report.
func (s *Statement) check(r *Report) error {
	switch {
	case !s.Kind.IsValid():
		return fmt.Errorf("%w: the kind %.40q does not exist", ErrInvalid, s.Kind)
	case utf8.RuneCountInString(s.Summary) > maxSummary:
		return fmt.Errorf("%w: the summary is longer than %d characters", ErrInvalid, maxSummary)
	}
	for name, meaning := range s.Meanings {
		switch {
		case !r.HasColumn(name):
			return fmt.Errorf("%w: the column %.60q does not exist", ErrInvalid, name)
		case utf8.RuneCountInString(meaning) > maxMeaning:
			return fmt.Errorf("%w: the meaning of %.60q is longer than %d characters", ErrInvalid, name, maxMeaning)
		case !utf8.ValidString(meaning):
			return fmt.Errorf("%w: the meaning of %.60q is not UTF-8", ErrInvalid, name)
		case strings.ContainsFunc(meaning, isControl):
			return fmt.Errorf("%w: the meaning of %.60q has a control character", ErrInvalid, name)
		}
	}
	return nil
}

// isControl reports whether a character is one of control, or changes the direction of the text around it.
func isControl(c rune) bool {
	return unicode.IsControl(c) || c >= '\u202a' && c <= '\u202e' || c >= '\u2066' && c <= '\u2069'
}

// Record completes the report with the statement of an agent. It succeeds if the same statement was recorded before,
// and returns [ErrChanged] for another one, [ErrNotReady] for a file that was not measured, [ErrNotClaimed] unless the
// run has claimed the stage [Profiled] of the file, and [ErrShared].
func (v *View) Record(ctx context.Context, id, run string, s Statement) (*Report, error) {
	for {
		f, err := v.getClaimed(ctx, id, run)
		if err != nil {
			return nil, err
		}
		if f.Report == nil {
			return nil, ErrNotReady
		}
		if err := s.check(f.Report); err != nil {
			return nil, err
		}
		r := f.Report
		if r.IsRecorded() {
			if r.Kind == s.Kind && r.Summary == s.Summary && maps.Equal(r.Meanings, s.Meanings) {
				return r, nil
			}
			return nil, ErrChanged
		}
		r.Kind, r.Summary, r.Meanings, r.Recorded = s.Kind, s.Summary, s.Meanings, now()
		session, err := v.session(id)
		if err != nil {
			return nil, err
		}
		out, err := v.put(ctx, session, r, table.Version(r.Version))
		if _, ok := errors.AsType[*table.ConflictError](err); !ok {
			return out, err
		}
	}
}

// Confirm stores the decision of a person about the report with that version, and ends the file's record. An empty
// kind, and columns that are not in the meanings, stay as the agent has recorded them. It returns [ErrNotReady] unless
// the file was profiled, [ErrConfirmed] for another version or a correction of a confirmed report, and [ErrChanged] if
// a report that is not confirmed has another version.
func (v *View) Confirm(ctx context.Context, id string, version int64, s Statement) (File, error) {
	f, err := v.Get(ctx, id)
	switch {
	case err != nil:
		return File{}, err
	case f.Shared:
		return File{}, ErrShared
	case !f.Report.IsRecorded() || f.Stage != Confirmed && !f.Report.IsConfirmed():
		return File{}, ErrNotReady
	case f.Report.Version != version && f.Report.IsConfirmed():
		return File{}, ErrConfirmed
	case f.Report.Version != version:
		return File{}, ErrChanged
	}
	if s.Kind == "" {
		s.Kind = f.Report.Kind
	}
	s.Summary = f.Report.Summary
	if err := s.check(f.Report); err != nil {
		return File{}, err
	}
	session, err := v.session(id)
	if err != nil {
		return File{}, err
	}
	if f.Report.IsConfirmed() {
		if s.Kind != f.Report.Kind || !maps.Equal(correct(f.Report.Meanings, s.Meanings), f.Report.Meanings) {
			return File{}, ErrConfirmed
		}
	} else {
		if f.Report, err = v.confirmReport(ctx, session, f.Report, s); err != nil {
			return File{}, err
		}
	}
	if err := v.endRecord(ctx, session, f.Report); err != nil {
		return File{}, err
	}
	return v.Get(ctx, id)
}

// correct returns the meanings with corrections, of which empty ones remove a meaning.
func correct(meanings, corrections map[string]string) map[string]string {
	meanings = maps.Clone(meanings)
	if meanings == nil {
		meanings = map[string]string{}
	}
	for name, meaning := range corrections {
		if meaning = strings.TrimSpace(meaning); meaning == "" {
			delete(meanings, name)
			continue
		}
		meanings[name] = meaning
	}
	return meanings
}

func (v *View) confirmReport(ctx context.Context, session scope.Scope, r *Report, s Statement) (*Report, error) {
	meanings := correct(r.Meanings, s.Meanings)
	r.Corrected = r.Kind != s.Kind || !maps.Equal(meanings, r.Meanings) && len(meanings)+len(r.Meanings) > 0
	r.Kind, r.Meanings, r.Confirmed = s.Kind, meanings, now()
	out, err := v.put(ctx, session, r, table.Version(r.Version))
	if _, ok := errors.AsType[*table.ConflictError](err); ok {
		return nil, ErrChanged
	}
	return out, err
}

// endRecord completes the last stage. It may be repeated.
func (v *View) endRecord(ctx context.Context, session scope.Scope, r *Report) error {
	rec, err := v.store.tracker.Get(ctx, session)
	if err != nil {
		return fmt.Errorf("files: confirm: %w", err)
	}
	if rec.Stage(Confirmed).State == tracking.StateSuccess {
		return nil
	}
	attempt, err := v.store.tracker.Claim(ctx, session, Confirmed, &tracking.ClaimOptions{Key: "confirm"})
	if err != nil {
		return fmt.Errorf("files: confirm: %w", err)
	}
	if err := Label(attempt, r); err != nil {
		return err
	}
	if err := attempt.Complete(ctx, object.Ref{}); err != nil {
		return fmt.Errorf("files: confirm: %w", err)
	}
	return nil
}

// Label shows the kind of a file in lists of records. The next write of the record stores it.
func Label(a *tracking.Attempt, r *Report) error {
	if err := a.SetLabel("kind", string(r.Kind)); err != nil {
		return fmt.Errorf("files: label: %w", err)
	}
	return nil
}

func (v *View) put(ctx context.Context, session scope.Scope, r *Report, c table.Cond) (*Report, error) {
	items, err := v.store.table.In(session)
	if err != nil {
		return nil, fmt.Errorf("files: %w", err)
	}
	it, err := r.item(reportItem)
	if err != nil {
		return nil, err
	}
	it, err = items.Put(ctx, it, c)
	if err != nil {
		return nil, fmt.Errorf("files: store a report: %w", err)
	}
	return parseReport(it)
}

// Forget deletes the report of a session whose record is gone.
func (s *Store) Forget(ctx context.Context, session scope.Scope) error {
	items, err := s.table.In(session)
	if err != nil {
		return fmt.Errorf("files: forget: %w", err)
	}
	for _, sort := range []string{reportItem, planItem} {
		it, err := items.Get(ctx, sort)
		if errors.Is(err, table.ErrNotFound) {
			continue
		}
		if err == nil {
			err = items.Delete(ctx, sort, table.Version(it.Version))
		}
		if err != nil {
			return fmt.Errorf("files: forget: %w", err)
		}
	}
	return nil
}

func now() time.Time { return time.Now().UTC().Truncate(time.Second) }
