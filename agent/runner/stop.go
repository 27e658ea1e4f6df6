package runner

import (
	"context"
	"errors"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

// requestStop sets the stop flag in HEAD.
func (r *Runner) requestStop(ctx context.Context, session scope.Scope, h head) error {
	view, err := r.table.In(session)
	if err != nil {
		return err
	}
	for !h.status.HasEnded() && !h.stop {
		h.stop = true
		_, err := view.Put(ctx, h.encodeItem(session, r.o.Retention), table.Version(h.version))
		conflict, ok := errors.AsType[*table.ConflictError](err)
		switch {
		case !ok:
			return err
		case conflict.Current == nil:
			return ErrNotFound
		}
		if h, err = parseHead(*conflict.Current); err != nil {
			return err
		}
	}
	return nil
}
