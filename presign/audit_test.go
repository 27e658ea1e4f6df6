package presign_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
)

type heard []scope.Refusal

func (h *heard) Refused(_ context.Context, r scope.Refusal) { *h = append(*h, r) }

func TestRefOfAnotherBucketIsReported(t *testing.T) {
	t.Parallel()
	var h heard
	s := signer(t, client(nil), &presign.Options{Audit: &h})
	root := must.Get(must.Get(object.New(object.NewMemory(), "other", nil)).In(session(t)))
	_, err := s.Get(t.Context(), must.Get(root.Ref("x")), nil)
	require.ErrorIs(t, err, object.ErrOutside)
	require.Len(t, h, 1)
	require.Equal(t, "presign.Get", h[0].Op)
	require.ErrorContains(t, h[0].Err, `"other"`)
}

func TestInvalidNameIsReportedOnce(t *testing.T) {
	t.Parallel()
	var h heard
	b := must.Get(object.New(object.NewMemory(), "landing", &object.Options{Audit: &h}))
	s := must.Get(presign.New(client(nil), b, nil))
	_, _, err := s.Arrived(t.Context(), session(t), "../x", &presign.ArrivedOptions{DeleteRejected: true})
	require.ErrorIs(t, err, scope.ErrInvalid)
	require.Len(t, h, 1)
}

func TestRejectedEventsAreReported(t *testing.T) {
	t.Parallel()
	var h heard
	s := signer(t, client(nil), &presign.Options{Audit: &h})
	_, err := s.Events(t.Context(), []byte(`{"Records":[]}`))
	require.ErrorIs(t, err, presign.ErrEvent)
	require.Len(t, h, 1)
	require.Equal(t, "presign.Events", h[0].Op)
	require.ErrorIs(t, h[0].Err, presign.ErrEvent)
}
