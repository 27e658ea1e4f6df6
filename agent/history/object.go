package history

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
)

// writeObject stores the JSON of a record under its digest, so that storing it again is not an error. It returns the
// object's Ref.
func (s *Store) writeObject(ctx context.Context, session scope.Scope, digest string, raw []byte) (table.Value, error) {
	if s.objects == nil {
		return nil, fmt.Errorf("%w: %d bytes: the largest record without Options.Objects has %d", ErrTooLarge, len(raw), maxInline)
	}
	root, err := s.objects.In(session)
	if err != nil {
		return nil, err
	}
	ref, err := root.Ref(objectName(digest))
	if err != nil {
		return nil, err
	}
	put := &object.PutOptions{Type: "application/json", Size: int64(len(raw))}
	if _, _, err := root.Put(ctx, ref, strings.NewReader(string(raw)), put); err != nil && !errors.Is(err, object.ErrExists) {
		return nil, err
	}
	stored, err := json.Marshal(ref)
	return string(stored), err
}

// objectName returns the name of the object with this digest.
func objectName(digest string) string { return "turn-" + digest + ".json" }

// readObject returns the JSON of a record that is stored as an object. It checks the digest, since others may write to the
// session.
func (s *Store) readObject(ctx context.Context, session scope.Scope, stored string) (string, error) {
	root, ref, err := s.resolve(session, stored)
	if err != nil {
		return "", err
	}
	body, _, err := root.Open(ctx, ref, nil)
	if err != nil {
		return "", err
	}
	defer func() { _ = body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(body, maxLoad+1))
	switch {
	case err != nil:
		return "", err
	case len(raw) > maxLoad:
		return "", ErrTooLarge
	case ref.Name() != objectName(digestOf(raw)):
		return "", fmt.Errorf("%w: the object %q has other content", errForeign, ref.Name())
	}
	return string(raw), nil
}

// deleteObject removes the object of an item, if it has one. A Ref that this package cannot have written is ignored, so that
// it does not keep the item.
func (s *Store) deleteObject(ctx context.Context, view *table.View, it table.Item) error {
	stored, ok := it.Attr[objectAttr].(string)
	if !ok {
		return nil
	}
	root, ref, err := s.resolve(view.Scope(), stored)
	switch {
	case errors.Is(err, errForeign):
		return nil
	case err != nil:
		return err
	}
	return root.Delete(ctx, ref)
}

func (s *Store) resolve(session scope.Scope, stored string) (*object.Root, object.Ref, error) {
	if s.objects == nil {
		return nil, object.Ref{}, errors.New("the record is an object: Options.Objects is required")
	}
	root, err := s.objects.In(session)
	if err != nil {
		return nil, object.Ref{}, err
	}
	var ref object.Ref
	if err := json.Unmarshal([]byte(stored), &ref); err != nil {
		return nil, object.Ref{}, errors.Join(errForeign, err)
	}
	root, ref, err = object.Resolve(ref, root)
	if errors.Is(err, object.ErrOutside) {
		err = errors.Join(errForeign, err)
	}
	return root, ref, err
}
