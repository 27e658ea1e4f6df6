package agent

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tools"
)

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

// checkHistory is checkRefs for a history. The history may name shared data that only an earlier run was allowed to
// read: requests hold a note in its place.
func (a *Agent) checkHistory(ctx context.Context, r reach, parts []Part) error {
	return a.checkMedia(ctx, r, parts, func(s scope.Scope) bool { return r.contains(s) || r.isWithdrawn(s) })
}

func (a *Agent) checkMedia(ctx context.Context, r reach, parts []Part, isAllowed func(scope.Scope) bool) error {
	for m := range eachMedium(parts) {
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

// openRoot returns the root through which a run reads f.
func (a *Agent) openRoot(r reach, f object.Ref) (*object.Root, error) {
	sc := r.own
	if r.shared.Contains(f.Scope()) && !sc.Contains(f.Scope()) {
		sc = r.shared
	}
	return a.objects.In(sc)
}

// newLoader returns the Request.Load of a run, or nil if objects cannot be read.
func (a *Agent) newLoader(r reach) func(context.Context, object.Ref, int64) ([]byte, error) {
	if a.objects == nil || r.own.Level() == scope.None {
		return nil
	}
	return func(ctx context.Context, f object.Ref, most int64) (_ []byte, err error) {
		root, err := a.openRoot(r, f)
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

// finding is the result of inspecting a medium: its size if known, and why no request can hold it, or "".
type finding struct {
	size int64
	note string
}

// inspectMedium measures a medium and looks up its object, if the agent has a bucket. It returns an error if the store
// fails.
func (a *Agent) inspectMedium(ctx context.Context, r reach, m medium) (finding, error) {
	f := finding{size: int64(len(m.Bytes))}
	if !m.Object.IsZero() && a.objects != nil && r.own.Level() != scope.None {
		root, err := a.openRoot(r, m.Object)
		if err != nil {
			return f, err
		}
		_, info, err := root.Stat(ctx, m.Object)
		switch {
		case errors.Is(err, object.ErrNotFound):
			f.note = "it has been deleted"
		case errors.Is(err, object.ErrChanged):
			f.note = "it has been replaced by another file"
		case errors.Is(err, object.ErrDenied), errors.Is(err, object.ErrInvalid):
			f.note = "it cannot be read"
		case err != nil:
			return f, err
		}
		f.size = info.Size
	}
	most := [...]int64{a.requestLimits.ImageBytes, a.requestLimits.DocumentBytes, a.requestLimits.VideoBytes}[m.kind]
	width, height := 0, 0
	if side := a.requestLimits.ImageSide; m.kind == anImage && side > 0 && len(m.Bytes) > 0 {
		width, height, _ = imageSize(m.Media)
	}
	switch {
	case f.note != "":
	case !isPlausible(m.Media):
		f.note = "its bytes are not " + m.Format
	case most > 0 && f.size > most:
		f.note = fmt.Sprintf("it is larger than %d bytes", most)
	case a.requestLimits.ImageSide > 0 && max(width, height) > a.requestLimits.ImageSide:
		f.note = fmt.Sprintf("it has %d×%d pixels, and a side may have %d", width, height, a.requestLimits.ImageSide)
	}
	return f, nil
}

// auditCall reports a call that was refused because of its tool or its arguments.
func (a *Agent) auditCall(ctx context.Context, s scope.Scope, tool string, err error) {
	if a.audit != nil {
		err = fmt.Errorf("agent: call of %.64q: %w", tool, err)
		a.audit.Refused(ctx, scope.Refusal{Scope: s, Op: "agent.Call", Err: err})
	}
}
