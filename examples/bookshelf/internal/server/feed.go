package server

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"sync"

	"github.com/carrel-go/carrel/sse"
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

// follow yields the events in batches. It returns after the last event or when ctx ends.
func (f *feed) follow(ctx context.Context) iter.Seq2[[]sse.Event, error] {
	return func(yield func([]sse.Event, error) bool) {
		var batch []sse.Event
		for n := 0; ; {
			f.mu.Lock()
			fresh, ended, changed := f.events[n:], f.ended, f.changed
			f.mu.Unlock()
			batch = batch[:0]
			for _, e := range fresh {
				n++
				batch = append(batch, sse.Event{ID: fmt.Sprintf("0.%d", n), Data: e})
			}
			if !yield(batch, nil) || len(fresh) == 0 && ended {
				return
			}
			if len(fresh) > 0 {
				continue
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return
			}
		}
	}
}
