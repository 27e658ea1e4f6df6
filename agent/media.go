package agent

import (
	"context"
	"fmt"
	"io"
	"iter"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tools"
)

// mediaPart returns m as a part of the user's message.
func mediaPart(m tools.Media) (Part, error) {
	b := m.Block()
	return Part{Image: b.Image, Document: b.Document, Video: b.Video}, b.Check()
}

// media yields each image, document and video in parts, those in results included.
func media(parts []Part) iter.Seq[*tools.Media] {
	return func(yield func(*tools.Media) bool) {
		for _, p := range parts {
			all := []*tools.Media{p.Image, p.Document, p.Video}
			if p.Result != nil {
				for _, b := range p.Result.Result.Blocks {
					all = append(all, b.Image, b.Document, b.Video)
				}
			}
			for _, m := range all {
				if m != nil && !yield(m) {
					return
				}
			}
		}
	}
}

// reach is the data that a run may read: its own scope, and the tenant's shared data if the host allows it.
type reach struct{ own, shared scope.Scope }

// reach returns what the run may read.
func (in Input) reach() reach { return reach{in.Scope, in.Shared.ReadOnly()} }

// contains reports whether data of s may be read.
func (r reach) contains(s scope.Scope) bool { return r.own.Contains(s) || r.shared.Contains(s) }

// isWithdrawn reports whether s is the tenant's shared data and the run may not read it. An earlier run may have.
func (r reach) isWithdrawn(s scope.Scope) bool {
	return s.Level() == scope.SharedLevel && s.TenantID() == r.own.TenantID() && !r.contains(s)
}

// checkShared returns an error unless Shared is the shared data of Scope's tenant, or zero.
func (in Input) checkShared() error {
	if in.Shared.Level() == scope.None {
		return nil
	}
	if err := in.Shared.Require(scope.SharedLevel); err != nil {
		return fmt.Errorf("agent: Input.Shared: %w", err)
	}
	if in.Shared.TenantID() != in.Scope.TenantID() {
		return fmt.Errorf("agent: Input.Shared: %w: it belongs to another tenant", scope.ErrDenied)
	}
	return nil
}

// checkRefs reports an object in parts that the run may not read, and returns an error.
func (a *Agent) checkRefs(ctx context.Context, r reach, parts []Part) error {
	return a.checkMedia(ctx, r, parts, r.contains)
}

// checkResult is checkRefs for the result of a call.
func (a *Agent) checkResult(ctx context.Context, r reach, res tools.Result) error {
	if !hasMedia(res) {
		return nil
	}
	return a.checkRefs(ctx, r, []Part{{Result: &ToolResult{Result: res}}})
}

// checkHistory is checkRefs for a history. The history may name shared data that only an earlier run was allowed to read:
// requests hold a note in its place.
func (a *Agent) checkHistory(ctx context.Context, r reach, parts []Part) error {
	return a.checkMedia(ctx, r, parts, func(s scope.Scope) bool { return r.contains(s) || r.isWithdrawn(s) })
}

func (a *Agent) checkMedia(ctx context.Context, r reach, parts []Part, isAllowed func(scope.Scope) bool) error {
	for m := range media(parts) {
		f := m.Object
		if f.IsZero() || isAllowed(f.Scope()) && (a.objects == nil || a.objects.Name() == f.Bucket()) {
			continue
		}
		err := fmt.Errorf("agent: media: %q in bucket %q: %w", f.Key(), f.Bucket(), object.ErrOutside)
		if f.Key() == "" {
			err = fmt.Errorf("agent: media: unresolved object: must be resolved through a Root: %w", object.ErrOutside)
		}
		if a.audit != nil {
			a.audit.Refused(ctx, scope.Refusal{Scope: r.own, Op: "agent.Media", Err: err})
		}
		return err
	}
	return nil
}

// root returns the root through which a run reads f.
func (a *Agent) root(r reach, f object.Ref) (*object.Root, error) {
	sc := r.own
	if r.shared.Contains(f.Scope()) && !sc.Contains(f.Scope()) {
		sc = r.shared
	}
	return a.objects.In(sc)
}

// loader returns the Request.Load of a run, or nil if objects cannot be read.
func (a *Agent) loader(r reach) func(context.Context, object.Ref, int64) ([]byte, error) {
	if a.objects == nil || r.own.Level() == scope.None {
		return nil
	}
	return func(ctx context.Context, f object.Ref, most int64) (_ []byte, err error) {
		root, err := a.root(r, f)
		if err != nil {
			return nil, fmt.Errorf("agent: load: %w", err)
		}
		body, info, err := root.Open(ctx, f, nil)
		if err != nil {
			return nil, fmt.Errorf("agent: load: %w", err)
		}
		defer func() {
			if closing := body.Close(); err == nil && closing != nil {
				err = fmt.Errorf("agent: load %q: %w", f.Name(), closing)
			}
		}()
		tooLarge := fmt.Errorf("agent: load %q: more than %d bytes: %w", f.Name(), most, object.ErrTooLarge)
		if info.Size > most {
			return nil, tooLarge
		}
		b, err := io.ReadAll(io.LimitReader(body, most+1))
		switch {
		case err != nil:
			return nil, fmt.Errorf("agent: load %q: %w", f.Name(), err)
		case int64(len(b)) > most:
			return nil, tooLarge
		}
		return b, nil
	}
}
