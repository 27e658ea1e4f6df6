package tools

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"sync"
)

// State is what tools remember of a conversation: small named JSON values, which travel with its history and its
// checkpoints. It is safe for concurrent use. The zero State is empty and ready.
type State struct {
	mu     sync.Mutex
	values map[string]json.RawMessage
}

// Get reads the value of that name into a pointer. It reports false, and leaves into alone, where there is none.
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

// Update reads the value of that name into a pointer, as Get does, calls f, and stores what the pointer then holds.
// No other Update or Get of the State runs meanwhile, so f must not call one. An error of f is returned, and nothing
// is stored.
func (s *State) Update(name string, into any, f func() error) error {
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
	if s.values == nil {
		s.values = map[string]json.RawMessage{}
	}
	s.values[name] = raw
	return nil
}

// Clone returns a State of its own with the same values.
func (s *State) Clone() *State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &State{values: maps.Clone(s.values)}
}

// MarshalJSON writes the values as one object.
func (s *State) MarshalJSON() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.values == nil {
		return []byte("{}"), nil
	}
	return json.Marshal(s.values)
}

// UnmarshalJSON reads what MarshalJSON writes. On an error s is unchanged.
func (s *State) UnmarshalJSON(b []byte) error {
	var values map[string]json.RawMessage
	dec := json.NewDecoder(bytes.NewReader(b))
	if err := dec.Decode(&values); err != nil {
		return fmt.Errorf("tools: state: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values = values
	return nil
}
