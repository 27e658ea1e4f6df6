package replay

import (
	"cmp"
	"context"
	"iter"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/sse"
)

// Dialect translates the events of a log for a kind of client.
type Dialect struct {
	// New returns a function that translates the events of one reader. It is called with each event in order and returns
	// the frames that the event becomes, possibly none. An error ends the reader.
	New func() func(Event) ([]sse.Event, error)
	// FromStart states that the client cannot continue from an id. Every reader then begins with the first event of the
	// log. Of the events that exist at that time it leaves out those that were taken back: a log of more than 256 KB is
	// read twice for this. If events are taken back later, the function receives the event "retract".
	FromStart bool
}

// Plain is the Dialect that sends each event unchanged, with its id.
func Plain() Dialect {
	return Dialect{New: func() func(Event) ([]sse.Event, error) {
		return func(e Event) ([]sse.Event, error) { return []sse.Event{{ID: e.ID, Data: e.Data}}, nil }
	}}
}

// Follow yields the frames of a log's events in a dialect. It is the source of [sse.Serve] for one log:
//
//	sse.Serve(w, r, func(ctx context.Context, after string) iter.Seq2[[]sse.Event, error] {
//		return logs.Follow(ctx, session, name, after, replay.Plain())
//	}, nil)
//
// Each batch holds the frames of one commit and may be reused after the next one is asked for. The first batch is empty
// if the first events do not have frames, so that Serve opens the stream at once. The errors are those of
// [Store.Events] and of the dialect.
func (s *Store) Follow(
	ctx context.Context, sc scope.Scope, name, after string, d Dialect,
) iter.Seq2[[]sse.Event, error] {
	q := &following{s, sc, name, after, d}
	return func(yield func([]sse.Event, error) bool) {
		f := &follower{translate: d.New(), yield: yield}
		err := f.open(ctx, q)
		if err == nil {
			err = cmp.Or(f.reading.readLog(ctx, f.send, true), f.err)
		}
		if err != nil && !f.stopped {
			yield(nil, err)
		}
	}
}

// following holds the arguments of Follow.
type following struct {
	store       *Store
	scope       scope.Scope
	name, after string
	dialect     Dialect
}

// follower translates events for one reader.
type follower struct {
	translate func(Event) ([]sse.Event, error)
	yield     func([]sse.Event, error) bool
	reading   *reading
	send      func([]Event) bool
	opened    bool // yield has been called
	stopped   bool // yield has returned false
	err       error
	frames    []sse.Event
}

// open begins to read the log. It is apart from Follow so that the frame of a reader that waits is small: a process has
// many readers.
func (f *follower) open(ctx context.Context, q *following) error {
	after := q.after
	if q.dialect.FromStart {
		after = ""
	}
	r, err := q.store.newReading(ctx, q.scope, q.name, after)
	if err != nil {
		return err
	}
	f.reading, f.send = r, f.sendEvents
	if !q.dialect.FromStart {
		return nil
	}
	past, err := readPast(ctx, r)
	switch {
	case err != nil:
		return err
	case !past.isHeld:
		f.reading = &reading{store: q.store, log: r.log, next: place{segment: 1}}
		f.send = func(events []Event) bool { return f.sendEvents(past.keep(events)) }
	case !f.sendEvents(past.keep(past.held)):
		return f.err
	}
	return nil
}

func (f *follower) sendEvents(events []Event) bool {
	clear(f.frames)
	f.frames = f.frames[:0]
	for _, e := range events {
		frames, err := f.translate(e)
		if err != nil {
			f.err = err
			return false
		}
		f.frames = append(f.frames, frames...)
	}
	if f.opened && len(f.frames) == 0 {
		return true
	}
	f.opened = true
	if !f.yield(f.frames, nil) {
		f.stopped = true
		return false
	}
	return true
}
