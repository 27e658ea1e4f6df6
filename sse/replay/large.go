package replay

import (
	"context"
	"encoding/json"
	"fmt"
)

// referenceMark begins a line that holds the Ref of an object instead of an event.
const referenceMark = '@'

// encodeEvent checks an event and stores a large one as an object.
func (w *Writer) encodeEvent(ctx context.Context, data json.RawMessage) (line, error) {
	o := w.store.o
	limit := o.MaxEvent
	if o.Objects == nil {
		limit = o.MaxSegment
	}
	if len(data) > limit {
		return line{}, fmt.Errorf("%w: %d bytes: must be at most %d", ErrTooLarge, len(data), limit)
	}
	data, err := checkData(data)
	if err != nil {
		return line{}, err
	}
	if len(data) <= o.MaxSegment {
		return line{text: data, plain: true}, nil
	}
	stored, err := w.store.objects.Put(ctx, w.log.view.Scope(), data)
	if err != nil {
		return line{}, fmt.Errorf("replay: store a large event: %w", err)
	}
	return line{text: append([]byte{referenceMark}, stored...)}, nil
}

// loadEvent returns the event that a line refers to.
func (s *Store) loadEvent(ctx context.Context, l log, stored []byte) ([]byte, error) {
	data, err := s.objects.Get(ctx, l.view.Scope(), string(stored))
	if err != nil {
		return nil, fmt.Errorf("replay: load a large event: %w", err)
	}
	return checkData(data)
}
