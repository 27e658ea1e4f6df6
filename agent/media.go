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

// mediaPart is m as a part of the user's message.
func mediaPart(m tools.Media) (Part, error) {
	b := m.Block()
	return Part{Image: b.Image, Document: b.Document}, b.Check()
}

// media yields each image and document in parts, those in results included.
func media(parts []Part) iter.Seq[*tools.Media] {
	return func(yield func(*tools.Media) bool) {
		for _, p := range parts {
			if p.Image != nil && !yield(p.Image) || p.Document != nil && !yield(p.Document) {
				return
			}
			if p.Result == nil {
				continue
			}
			for _, b := range p.Result.Result.Blocks {
				if b.Image != nil && !yield(b.Image) || b.Document != nil && !yield(b.Document) {
					return
				}
			}
		}
	}
}

// checkRefs refuses objects that the run may not touch, wherever they come from, and reports them.
func (a *Agent) checkRefs(ctx context.Context, sc scope.Scope, parts []Part) error {
	for m := range media(parts) {
		f := m.Object
		if f.IsZero() || sc.Contains(f.Scope()) && (a.objects == nil || a.objects.Name() == f.Bucket()) {
			continue
		}
		err := fmt.Errorf("agent: media: %q in bucket %q: %w", f.Key(), f.Bucket(), object.ErrOutside)
		if a.audit != nil {
			a.audit.Refused(ctx, scope.Refusal{Scope: sc, Op: "agent.Media", Err: err})
		}
		return err
	}
	return nil
}

// loader is the Request.Load of a run in sc; nil where there are no objects to read.
func (a *Agent) loader(sc scope.Scope) func(context.Context, object.Ref, int64) ([]byte, error) {
	if a.objects == nil || sc.Level() == scope.None {
		return nil
	}
	return func(ctx context.Context, f object.Ref, most int64) (_ []byte, err error) {
		root, err := a.objects.In(sc)
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
