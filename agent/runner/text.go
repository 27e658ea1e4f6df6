package runner

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
)

const (
	maxInline = 340 << 10 // bytes of JSON in an item
	maxInput  = 4 << 10   // and in HEAD, which is written at every heartbeat
	maxObject = 64 << 20
)

// text is JSON in an item, or the Ref of an object that holds it. Both may be empty.
type text struct{ inline, object string }

func (t text) store(attr map[string]table.Value, name string) {
	switch {
	case t.inline != "":
		attr[name] = t.inline
	case t.object != "":
		attr[objectAttr] = t.object
	}
}

func loadText(attr map[string]table.Value, name string) (t text) {
	t.inline, _ = attr[name].(string)
	t.object, _ = attr[objectAttr].(string)
	return t
}

// writeText returns the text for an item. If it has more than limit bytes, it becomes an object of the session, under
// the name of its digest, so that storing it again is not an error.
func (r *Runner) writeText(ctx context.Context, session scope.Scope, raw []byte, limit int) (text, error) {
	if len(raw) <= limit || r.o.Objects == nil && len(raw) <= maxInline {
		return text{inline: string(raw)}, nil
	}
	if r.o.Objects == nil || len(raw) > maxObject {
		return text{}, fmt.Errorf("%w: %d bytes", ErrTooLarge, len(raw))
	}
	root, err := r.o.Objects.In(session)
	if err != nil {
		return text{}, err
	}
	ref, err := root.Ref(objectName(raw))
	if err != nil {
		return text{}, err
	}
	_, _, err = root.Put(ctx, ref, bytes.NewReader(raw), &object.PutOptions{Type: "application/json", Size: int64(len(raw))})
	if err != nil && !errors.Is(err, object.ErrExists) {
		return text{}, err
	}
	stored, err := json.Marshal(ref)
	return text{object: string(stored)}, err
}

// objectName returns the name of the object that holds raw.
func objectName(raw []byte) string { return "run-" + digest(raw) + ".json" }

// readText returns the JSON of a text. It checks the digest of an object, since others may write to the session.
func (r *Runner) readText(ctx context.Context, session scope.Scope, t text) ([]byte, error) {
	if t.object == "" {
		return []byte(t.inline), nil
	}
	if r.o.Objects == nil {
		return nil, errors.New("runner: the record is an object: Options.Objects is required")
	}
	root, err := r.o.Objects.In(session)
	if err != nil {
		return nil, err
	}
	var ref object.Ref
	if err := json.Unmarshal([]byte(t.object), &ref); err != nil {
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
	raw, err := io.ReadAll(io.LimitReader(body, maxObject+1))
	switch {
	case err != nil:
		return nil, err
	case len(raw) > maxObject:
		return nil, ErrTooLarge
	case ref.Name() != objectName(raw):
		return nil, fmt.Errorf("runner: the object %q was not written by this package", ref.Name())
	}
	return raw, nil
}

// roots returns where the objects of a run may be: in its session and, unless the partition is empty, in the shared data
// of its tenant.
func (r *Runner) roots(session scope.Scope, shared string) []*object.Root {
	if r.o.Objects == nil {
		return nil
	}
	var roots []*object.Root
	if root, err := r.o.Objects.In(session); err == nil {
		roots = append(roots, root)
	}
	if s, err := parseShared(session, shared); err == nil {
		if root, err := r.o.Objects.In(s); err == nil {
			roots = append(roots, root)
		}
	}
	return roots
}
