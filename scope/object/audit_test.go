package object_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
)

type heard []scope.Refusal

func (h *heard) Refused(_ context.Context, r scope.Refusal) { *h = append(*h, r) }

// Each refusal is reported once, with the scope that asked; what merely does not exist is not.
func TestRefusalsAreReported(t *testing.T) {
	t.Parallel()
	var h heard
	b := must.Get(object.New(object.NewMemory(), "b", &object.Options{Audit: &h}))
	mine, theirs := rootOf(t, b, session(t, "acme", "u1")), rootOf(t, b, session(t, "globex", "u1"))
	foreign := refTo(t, theirs, "x")
	raw, err := foreign.MarshalJSON()
	require.NoError(t, err)
	ctx := t.Context()
	for op, ask := range map[string]func() error{
		"object.ref":       func() error { _, err := mine.Ref("../x"); return err },
		"object.open":      func() error { _, _, err := mine.Open(ctx, foreign, nil); return err },
		"object.stat":      func() error { _, _, err := mine.Stat(ctx, foreign); return err },
		"object.put":       func() error { _, _, err := mine.Put(ctx, foreign, strings.NewReader("x"), nil); return err },
		"object.delete":    func() error { return mine.Delete(ctx, foreign) },
		"object.copy":      func() error { _, _, err := mine.Copy(ctx, foreign, refTo(t, mine, "y"), nil); return err },
		"object.copy to":   func() error { _, _, err := mine.Copy(ctx, refTo(t, mine, "y"), foreign, nil); return err },
		"object.parse ref": func() error { _, err := mine.ParseRef(raw); return err },
	} {
		h = nil
		require.Error(t, ask(), op)
		require.Len(t, h, 1, op)
		require.Equal(t, op, h[0].Op)
		require.Equal(t, mine.Scope(), h[0].Scope)
		if op != "object.ref" {
			require.ErrorIs(t, h[0].Err, object.ErrOutside)
			require.ErrorContains(t, h[0].Err, foreign.Key())
		}
	}
	h = nil
	_, _, err = mine.Open(ctx, refTo(t, mine, "missing"), nil)
	require.ErrorIs(t, err, object.ErrNotFound)
	require.Empty(t, h)
}
