package tracking

import (
	"context"
	"maps"
	"time"
	"unicode/utf8"

	"github.com/carrel-go/carrel/scope"
)

const (
	maxLabels = 8
	maxLabel  = 256 // bytes of a value
)

func checkLabels(labels map[string]string) error {
	if len(labels) > maxLabels {
		return invalidError("%d labels: at most %d are allowed", len(labels), maxLabels)
	}
	for name, value := range labels {
		if !isName(name) {
			return invalidError("label name %.64q: must match [a-z][a-z0-9_]{0,31}", name)
		}
		if len(value) > maxLabel || !utf8.ValidString(value) {
			return invalidError("label %s: must be UTF-8 of at most %d bytes", name, maxLabel)
		}
	}
	return nil
}

// mergeLabels returns old with the labels in set. An empty value removes one.
func mergeLabels(old, set map[string]string) map[string]string {
	if len(set) == 0 {
		return old
	}
	out := maps.Clone(old)
	if out == nil {
		out = map[string]string{}
	}
	for name, value := range set {
		if value == "" {
			delete(out, name)
		} else {
			out[name] = value
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// SetLabel sets a label of the record: a small value that lists show, such as a
// title. It costs nothing by itself: the attempt's next operation that writes
// stores it. An empty value removes the label. A record has at most 8 labels; a
// name matches [a-z][a-z0-9_]{0,31} and a value has at most 256 bytes of UTF-8.
// SetLabel returns [ErrInvalid] otherwise. A label that is set after the attempt
// has ended is not stored.
func (a *Attempt) SetLabel(name, value string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	labels := map[string]string{}
	maps.Copy(labels, a.labels)
	labels[name] = value
	err := checkLabels(map[string]string{name: value})
	if err == nil {
		err = checkLabels(mergeLabels(a.Record().Labels, labels))
	}
	if err == nil {
		a.labels = labels
	}
	return opError("label", err)
}

// SetLabels sets labels of the session's record in any state, also when a
// worker holds a stage or the record is terminal: a title can be corrected
// later. The limits are those of [Attempt.SetLabel], and an empty value removes
// a label. It costs one read and at most one write. It is not a transition:
// [Record.Changed] stays, and a worker keeps its stage. A label that an
// [Attempt] has set and not stored yet replaces it.
func (t *Tracker) SetLabels(ctx context.Context, session scope.Scope, labels map[string]string) (Record, error) {
	if err := checkLabels(labels); err != nil {
		return Record{}, opError("set labels", err)
	}
	r, err := t.updateRecord(ctx, session, func(r Record, now time.Time) (Record, bool, error) {
		next := r
		next.Labels = mergeLabels(r.Labels, labels)
		if maps.Equal(next.Labels, r.Labels) {
			return r, false, nil
		}
		if err := checkLabels(next.Labels); err != nil {
			return r, false, err
		}
		next.Updated = now
		return next, true, nil
	})
	return r, opError("set labels", err)
}

// pendingLabels returns the labels that are not yet stored. They are replaced and
// never changed.
func (a *Attempt) pendingLabels() map[string]string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.labels
}

// dropLabels drops labels that were stored, unless they have been set again.
func (a *Attempt) dropLabels(stored map[string]string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.labels = maps.Clone(a.labels)
	maps.DeleteFunc(a.labels, func(name, value string) bool {
		old, ok := stored[name]
		return ok && old == value
	})
}
