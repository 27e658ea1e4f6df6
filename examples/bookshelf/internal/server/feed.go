package server

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"sync"
)

// feed holds the events of one run. One writer appends, and any number of readers follow from the start.
type feed struct {
	mu      sync.Mutex
	events  [][]byte
	ended   bool
	changed chan struct{} // closed and replaced at each change
}

func newFeed() *feed { return &feed{changed: make(chan struct{})} }

// send appends an event with these fields. The type comes first in its JSON.
func (f *feed) send(kind string, fields map[string]any) error {
	event, err := encode(fields)
	if err != nil {
		return err
	}
	event = bytes.TrimSuffix(event, []byte("\n"))
	event = fmt.Appendf(nil, `{"type":%q,%s`, kind, event[1:])
	f.mu.Lock()
	defer f.mu.Unlock()
	f.events = append(f.events, event)
	close(f.changed)
	f.changed = make(chan struct{})
	return nil
}

// end marks the feed as complete.
func (f *feed) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = true
	close(f.changed)
	f.changed = make(chan struct{})
}

// follow yields every event with its number, starting at 1. It returns after the last event or when ctx ends.
func (f *feed) follow(ctx context.Context) iter.Seq2[int, []byte] {
	return func(yield func(int, []byte) bool) {
		for n := 0; ; {
			f.mu.Lock()
			fresh, ended, changed := f.events[n:], f.ended, f.changed
			f.mu.Unlock()
			for _, e := range fresh {
				if n++; !yield(n, e) {
					return
				}
			}
			if len(fresh) > 0 {
				continue
			}
			if ended {
				return
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return
			}
		}
	}
}
