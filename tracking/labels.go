package tracking

import (
	"maps"
	"sync"
	"unicode/utf8"
)

const (
	maxLabels = 8
	maxLabel  = 256 // bytes of a value
)

// checkLabels checks the labels of a record.
func checkLabels(labels map[string]string) error {
	if len(labels) > maxLabels {
		return invalid("%d labels: at most %d are allowed", len(labels), maxLabels)
	}
	for name, value := range labels {
		if !isName(name) {
			return invalid("label name %.64q: must match [a-z][a-z0-9_]{0,31}", name)
		}
		if len(value) > maxLabel || !utf8.ValidString(value) {
			return invalid("label %s: must be UTF-8 of at most %d bytes", name, maxLabel)
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
// SetLabel returns [ErrInvalid] otherwise.
func (a *Attempt) SetLabel(name, value string) error {
	set := map[string]string{name: value}
	err := checkLabels(set)
	if err == nil {
		err = checkLabels(mergeLabels(mergeLabels(a.Record().Labels, a.labels.pending()), set))
	}
	if err != nil {
		return opError("label", err)
	}
	a.labels.add(name, value)
	return nil
}

// labelSet holds labels until they are stored.
type labelSet struct {
	mu     sync.Mutex
	values map[string]string
}

func (s *labelSet) add(name, value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.values == nil {
		s.values = map[string]string{}
	}
	s.values[name] = value
}

func (s *labelSet) pending() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.values)
}

// remove removes labels that were stored, unless they have been set again.
func (s *labelSet) remove(stored map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, value := range stored {
		if s.values[name] == value {
			delete(s.values, name)
		}
	}
}
