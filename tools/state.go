package tools

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"unicode/utf8"

	"github.com/carrel-go/carrel/internal/strictjson"
)

// maxState is the largest size of a [State] in bytes of JSON. It is stored with each turn of the conversation.
const maxState = 64 << 10

// errState is returned for an invalid name, size or form of a [State].
var errState = errors.New("tools: invalid state")

// State holds small named JSON values that the tools of a conversation keep. It is stored with the history and the
// checkpoints, and has at most 65,536 bytes of JSON. Prefix each name with the name of your package, as in
// "objecttools.handles"; this package owns "tools.". Do not store secrets: everyone who may read the conversation may
// see the State.
//
// A State is safe for concurrent use. The zero State is empty and ready to use. It must not be copied.
type State struct {
	mu     sync.Mutex
	values map[string]json.RawMessage // never changed in place, because clones share it
}

// Get decodes the value with that name into the pointer into, as encoding/json does. If the value does not exist, it
// returns false and does not change into.
func (s *State) Get(name string, into any) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.get(name, into)
}

func (s *State) get(name string, into any) (bool, error) {
	raw, ok := s.values[name]
	if !ok {
		return false, nil
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return true, fmt.Errorf("tools: state %q: %w", name, err)
	}
	return true, nil
}

// Update decodes the value with that name into the pointer into, as Get does, calls f, and stores the value of the
// pointer afterwards. It holds a lock meanwhile, so f must be quick and must not call Get or Update. Update stores
// nothing if f returns an error or panics, if the State would become too large, or if the value's JSON has duplicate
// names or invalid text, because it could not be read again.
func (s *State) Update(name string, into any, f func() error) error {
	if name == "" || !utf8.ValidString(name) {
		return fmt.Errorf("%w: the name %q is empty or not UTF-8", errState, name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.get(name, into); err != nil {
		return err
	}
	if err := f(); err != nil {
		return err
	}
	raw, err := json.Marshal(into)
	if err != nil {
		return fmt.Errorf("tools: state %q: %w", name, err)
	}
	// Within an array it is as deep as in the object that MarshalJSON returns.
	if err := strictjson.Check(slices.Concat([]byte("["), raw, []byte("]"))); err != nil {
		return fmt.Errorf("%w: the value of %q is %w", errState, name, err)
	}
	values := maps.Clone(s.values)
	if values == nil {
		values = map[string]json.RawMessage{}
	}
	values[name] = raw
	if err := checkStateSize(values); err != nil {
		return fmt.Errorf("tools: state %q: %w", name, err)
	}
	s.values = values
	return nil
}

func checkStateSize(values map[string]json.RawMessage) error {
	size := 1 // braces, and a comma for all values but one
	for name, raw := range values {
		quoted, err := json.Marshal(name)
		if err != nil {
			return err
		}
		size += len(quoted) + 1 + len(raw) + 1
	}
	if size > maxState {
		return fmt.Errorf("%w: it has %d bytes, must have at most %d", errState, size, maxState)
	}
	return nil
}

// Clone returns an independent State with the same values.
func (s *State) Clone() *State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &State{values: s.values}
}

// MarshalJSON returns the values as one object in order of name.
func (s *State) MarshalJSON() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.values == nil {
		return []byte("{}"), nil
	}
	return json.Marshal(s.values)
}

// UnmarshalJSON replaces the values of s with those that MarshalJSON returned. It rejects null, data after the object,
// duplicate and empty names, and an object that is too large. On an error s is unchanged.
func (s *State) UnmarshalJSON(b []byte) error {
	if err := strictjson.CheckObject(b); err != nil {
		return fmt.Errorf("%w: %w", errState, err)
	}
	var values map[string]json.RawMessage
	if err := json.Unmarshal(b, &values); err != nil {
		return fmt.Errorf("%w: %w", errState, err)
	}
	if _, ok := values[""]; ok {
		return fmt.Errorf("%w: a name is empty", errState)
	}
	var err error
	for name, raw := range values { // the form of MarshalJSON, so that the sizes agree
		if values[name], err = json.Marshal(raw); err != nil {
			return fmt.Errorf("%w: %w", errState, err)
		}
	}
	if err := checkStateSize(values); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values = values
	return nil
}
