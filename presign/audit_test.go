package presign_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/scope"
)

type heard []scope.Refusal

func (h *heard) Refused(_ context.Context, r scope.Refusal) { *h = append(*h, r) }

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
