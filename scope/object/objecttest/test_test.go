package objecttest

import (
	"context"
	"io"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
)

// broken is a driver that breaks one promise.
type broken struct {
	object.Driver
	put  func(*object.PutOptions)
	open func(*object.Range)
	end  bool // every page of a list is the last
}

func (b broken) Put(ctx context.Context, a object.Addr, body io.Reader, o object.PutOptions) (object.Info, error) {
	if b.put != nil {
		b.put(&o)
	}
	return b.Driver.Put(ctx, a, body, o)
}

func (b broken) Open(ctx context.Context, a object.Addr, r object.Range) (io.ReadCloser, object.Info, error) {
	if b.open != nil {
		b.open(&r)
	}
	return b.Driver.Open(ctx, a, r)
}

func (b broken) List(ctx context.Context, s scope.Scope, after string, limit int) ([]object.Entry, bool, error) {
	page, more, err := b.Driver.List(ctx, s, after, limit)
	return page, more && !b.end, err
}

// ignorant ignores the version of a Ref in one operation.
type ignorant struct {
	object.Driver
	open, stat, delete bool
}

func (d ignorant) Open(ctx context.Context, a object.Addr, r object.Range) (io.ReadCloser, object.Info, error) {
	return d.Driver.Open(ctx, d.unpin(ctx, a, d.open), r)
}

func (d ignorant) Stat(ctx context.Context, a object.Addr) (object.Info, error) {
	return d.Driver.Stat(ctx, d.unpin(ctx, a, d.stat))
}

func (d ignorant) Delete(ctx context.Context, a object.Addr) error {
	return d.Driver.Delete(ctx, d.unpin(ctx, a, d.delete))
}

// unpin returns a without its version, if ignore is set. Only a Root makes an Addr.
func (d ignorant) unpin(ctx context.Context, a object.Addr, ignore bool) object.Addr {
	if !ignore || a.Version() == "" {
		return a
	}
	var r recorder
	root, err := must.Get(object.New(&r, a.Bucket(), nil)).In(a.Scope())
	if err != nil {
		return a
	}
	ref, err := root.Ref(path.Base(a.Key()))
	if err != nil {
		return a
	}
	_, _, _ = root.Stat(ctx, ref)
	return r.seen
}

// recorder records the address of a Stat.
type recorder struct {
	object.Driver
	seen object.Addr
}

func (r *recorder) Stat(_ context.Context, a object.Addr) (object.Info, error) {
	r.seen = a
	return object.Info{}, nil
}

func TestEachFaultIsFoundByItsCheck(t *testing.T) {
	t.Parallel()
	for name, d := range map[string]object.Driver{
		"write once":             broken{Driver: object.NewMemory(), put: func(o *object.PutOptions) { o.Overwrite = o.IfMatch == "" }},
		"replace by ETag":        broken{Driver: object.NewMemory(), put: func(o *object.PutOptions) { o.Overwrite, o.IfMatch = o.Overwrite || o.IfMatch != "", "" }},
		"bodies":                 broken{Driver: object.NewMemory(), put: func(o *object.PutOptions) { o.Size = 0 }},
		"stat":                   broken{Driver: object.NewMemory(), put: func(o *object.PutOptions) { o.Type = "application/octet-stream" }},
		"ranges":                 broken{Driver: object.NewMemory(), open: func(r *object.Range) { r.Len = 0 }},
		"list":                   broken{Driver: object.NewMemory(), end: true},
		"version pins on open":   ignorant{Driver: object.NewMemory(), open: true},
		"version pins on stat":   ignorant{Driver: object.NewMemory(), stat: true},
		"version pins on delete": ignorant{Driver: object.NewMemory(), delete: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found := false
			for _, c := range checks {
				err := c.runOn(t.Context(), d, "b")
				if strings.HasPrefix(name, c.name) && len(c.name) > 4 || name == c.name {
					require.Error(t, err)
					require.ErrorContains(t, err, "want")
					found = true
				}
				if c.name == "overwrite" {
					require.NoError(t, err)
				}
			}
			require.True(t, found)
		})
	}
}
