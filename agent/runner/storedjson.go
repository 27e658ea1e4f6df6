package runner

import (
	"context"
	"errors"
	"fmt"

	"github.com/carrel-go/carrel/agent/history"
	"github.com/carrel-go/carrel/internal/jsonobject"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
)

const (
	maxInline = 340 << 10 // bytes of JSON in an item
	maxInput  = 4 << 10   // and in HEAD, which is written at every heartbeat
	maxObject = 64 << 20
)

// storedJSON is JSON in an item, or the Ref of an object that holds it. Both may be empty.
type storedJSON struct{ inline, object string }

func (t storedJSON) setAttribute(attr map[string]table.Value, name string) {
	switch {
	case t.inline != "":
		attr[name] = t.inline
	case t.object != "":
		attr[objectAttr] = t.object
	}
}

func findStored(attr map[string]table.Value, name string) (t storedJSON) {
	t.inline, _ = attr[name].(string)
	t.object, _ = attr[objectAttr].(string)
	return t
}

// storeJSON returns the text for an item. If it has more than limit bytes, it becomes an object of the session.
func (r *Runner) storeJSON(ctx context.Context, session scope.Scope, raw []byte, limit int) (storedJSON, error) {
	if len(raw) <= limit || r.o.Objects == nil && len(raw) <= maxInline {
		return storedJSON{inline: string(raw)}, nil
	}
	if r.o.Objects == nil || len(raw) > maxObject {
		return storedJSON{}, fmt.Errorf("%w: %d bytes", ErrTooLarge, len(raw))
	}
	stored, err := r.objects.Put(ctx, session, raw)
	return storedJSON{object: stored}, err
}

// loadJSON returns the JSON of a text.
func (r *Runner) loadJSON(ctx context.Context, session scope.Scope, t storedJSON) ([]byte, error) {
	if t.object == "" {
		return []byte(t.inline), nil
	}
	raw, err := r.objects.Get(ctx, session, t.object)
	return raw, mapUnreadable(err)
}

// mapUnreadable returns an errUnreadable if stored state is lost, or if this process cannot read it because
// Options.Objects is missing. A run that met such an error would otherwise be taken over again and again.
func mapUnreadable(err error) error {
	for _, permanent := range []error{jsonobject.ErrLost, jsonobject.ErrNoBucket, history.ErrDamaged} {
		if errors.Is(err, permanent) {
			return fmt.Errorf("%w: %w", errUnreadable, err)
		}
	}
	return err
}

// listRoots returns where the objects of a run may be: in its session and, unless shared is the zero Scope, in the
// shared data of its tenant.
func (r *Runner) listRoots(session, shared scope.Scope) []*object.Root {
	if r.o.Objects == nil {
		return nil
	}
	var roots []*object.Root
	if root, err := r.o.Objects.In(session); err == nil {
		roots = append(roots, root)
	}
	if root, err := r.o.Objects.In(shared); err == nil {
		roots = append(roots, root)
	}
	return roots
}
