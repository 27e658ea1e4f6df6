package tools

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"sync"
	"unicode/utf8"

	"github.com/carrel-go/carrel/internal/strictjson"
)

// MaxState is how large a [State] may be, in bytes of its JSON: it is stored with every turn of the conversation.
const MaxState = 64 << 10

// ErrState is in the chain of every error by which a [State] refuses a name, a size or a form.
var ErrState = errors.New("tools: this cannot be state")

// State is what tools remember of a conversation: small named JSON values, which travel with its history and its
// checkpoints. A name belongs to the package that made it up, so it begins with that package's name, as in
// "objecttools.handles"; "tools." is this package's. What goes into a State was said by tools and may be shown to
// whoever may read the conversation: no secrets.
//
// It is safe for concurrent use. The zero State is empty and ready; it is not to be copied.
type State struct {
	mu     sync.Mutex
	values map[string]json.RawMessage // replaced, never changed in place: clones share them
}

// Get reads the value of that name into a pointer, as encoding/json does. It reports false, and leaves into alone,
// where there is none.
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
// No other Update or Get of the State runs meanwhile, so f must not call one, and should be quick. An error of f is
// returned, and nothing is stored; nor is it if f panics, or if the State would grow beyond [MaxState], which is an
// error that wraps [ErrState].
func (s *State) Update(name string, into any, f func() error) error {
	if name == "" || !utf8.ValidString(name) {
		return fmt.Errorf("%w: the name %q is empty or not UTF-8", ErrState, name)
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
	values := maps.Clone(s.values)
	if values == nil {
		values = map[string]json.RawMessage{}
	}
	values[name] = raw
	if err := fits(values); err != nil {
		return fmt.Errorf("tools: state %q: %w", name, err)
	}
	s.values = values
	return nil
}

// fits refuses values whose JSON would be too large.
func fits(values map[string]json.RawMessage) error {
	size := 1 // braces, and a comma for all values but one
	for name, raw := range values {
		quoted, err := json.Marshal(name)
		if err != nil {
			return err
		}
		size += len(quoted) + 1 + len(raw) + 1
	}
	if size > MaxState {
		return fmt.Errorf("%w: %d bytes, and %d are allowed", ErrState, size, MaxState)
	}
	return nil
}

// Clone returns a State of its own with the same values.
func (s *State) Clone() *State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &State{values: s.values}
}

// MarshalJSON writes the values as one object, ordered by name: at most [MaxState] bytes.
func (s *State) MarshalJSON() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.values == nil {
		return []byte("{}"), nil
	}
	return json.Marshal(s.values)
}

// UnmarshalJSON reads what MarshalJSON writes, in place of what s held. Anything else is an error that wraps
// [ErrState], and then s is unchanged: null, text after the object, a name that comes twice or is empty, an object
// that is larger than [MaxState].
func (s *State) UnmarshalJSON(b []byte) error {
	if err := strictjson.CheckObject(b); err != nil {
		return fmt.Errorf("%w: it is %w", ErrState, err)
	}
	var values map[string]json.RawMessage
	if err := json.Unmarshal(b, &values); err != nil {
		return fmt.Errorf("%w: %w", ErrState, err)
	}
	if _, ok := values[""]; ok {
		return fmt.Errorf("%w: a name is empty", ErrState)
	}
	var err error
	for name, raw := range values { // in the form that MarshalJSON writes, so that sizes are those of its bytes
		if values[name], err = json.Marshal(raw); err != nil {
			return fmt.Errorf("%w: %w", ErrState, err)
		}
	}
	if err := fits(values); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values = values
	return nil
}
