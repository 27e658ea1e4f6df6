package objecttest_test

import (
	"context"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/object/objecttest"
)

// broken is a good driver with one promise broken.
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

func TestFindsFaults(t *testing.T) {
	for check, d := range map[string]broken{
		"write once":      {put: func(o *object.PutOptions) { o.Overwrite = o.IfMatch == "" }},
		"replace by ETag": {put: func(o *object.PutOptions) { o.Overwrite, o.IfMatch = o.Overwrite || o.IfMatch != "", "" }},
		"bodies":          {put: func(o *object.PutOptions) { o.Size = 0 }},
		"stat":            {put: func(o *object.PutOptions) { o.Type = "application/octet-stream" }},
		"ranges":          {open: func(r *object.Range) { r.Len = 0 }},
		"list":            {end: true},
	} {
		d.Driver = object.NewMemory()
		err := objecttest.Test(t.Context(), d, "b")
		require.ErrorContains(t, err, "objecttest: "+check+":")
		require.NotContains(t, err.Error(), "objecttest: overwrite:", "what is not broken passes")
		require.Equal(t, 1, strings.Count(err.Error(), "objecttest: "+check+":"))
	}
}
