package replay

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/carrel-go/carrel/scope/object"
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
	ref, err := w.storeEvent(ctx, data)
	if err != nil {
		return line{}, fmt.Errorf("replay: store a large event: %w", err)
	}
	return line{text: append([]byte{referenceMark}, ref...)}, nil
}

// storeEvent stores an event under the name of its digest, so that storing it again is not an error.
func (w *Writer) storeEvent(ctx context.Context, data []byte) ([]byte, error) {
	root, err := w.store.o.Objects.In(w.log.view.Scope())
	if err != nil {
		return nil, err
	}
	ref, err := root.Ref(objectName(data))
	if err != nil {
		return nil, err
	}
	stored, _, err := root.Put(ctx, ref, bytes.NewReader(data), &object.PutOptions{Type: "application/json", Size: int64(len(data))})
	if errors.Is(err, object.ErrExists) {
		stored, err = ref, nil
	}
	if err != nil {
		return nil, err
	}
	return json.Marshal(stored)
}

// objectName returns the name of the object of an event.
func objectName(data []byte) string {
	sum := sha256.Sum256(data)
	return "event-" + hex.EncodeToString(sum[:]) + ".json"
}

// loadEvent returns the event that a line refers to. It checks the digest, since others may write to the scope.
func (s *Store) loadEvent(ctx context.Context, l log, reference []byte) ([]byte, error) {
	if s.o.Objects == nil {
		return nil, errors.New("replay: a large event needs Options.Objects")
	}
	root, err := s.o.Objects.In(l.view.Scope())
	if err != nil {
		return nil, err
	}
	var ref object.Ref
	if err := json.Unmarshal(reference, &ref); err != nil {
		return nil, err
	}
	if _, ref, err = object.Resolve(ref, root); err != nil {
		return nil, err
	}
	body, _, err := root.Open(ctx, ref, nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = body.Close() }()
	data, err := io.ReadAll(io.LimitReader(body, int64(s.o.MaxEvent)+1))
	if err == nil && len(data) > s.o.MaxEvent {
		err = ErrTooLarge
	}
	if err != nil {
		return nil, err
	}
	if ref.Name() != objectName(data) {
		return nil, fmt.Errorf("%w: object %q", errForeign, ref.Name())
	}
	return checkData(data)
}
