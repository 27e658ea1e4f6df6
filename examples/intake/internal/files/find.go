package files

import (
	"context"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
)

// idLen is the length of the id of a session, with which the name of a shared object begins.
const idLen = 36

// Find returns the file of an object, which must be one that the View sees.
func (v *View) Find(ctx context.Context, ref object.Ref) (File, error) {
	id := ref.Scope().SessionID()
	isShared := ref.Scope().Level() == scope.SharedLevel
	if isShared {
		id = ref.Name()[:min(idLen, len(ref.Name()))]
	} else if !v.user.Contains(ref.Scope()) {
		return File{}, ErrNotFound
	}
	if isShared {
		return v.getShared(ctx, id)
	}
	f, err := v.Get(ctx, id)
	if err == nil && (f.Shared || f.Ref.Key() != ref.Key()) {
		return File{}, ErrNotFound
	}
	return f, err
}
