package replay_test

import (
	"encoding/json"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/sse/replay"
)

func TestInvalidUTF8DoesNotEndTheWriter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, err := newStore(t, table.NewMemory(nil), nil).Open(t.Context(), newSession(t), "1")
		require.NoError(t, err)
		defer w.Abandon()
		require.ErrorIs(t, w.Append(t.Context(), json.RawMessage("{\"type\":\"x\",\"v\":\"\xff\"}"), true), replay.ErrInvalid)
		require.NoError(t, w.Append(t.Context(), delta("y"), true))
		_, err = w.Flush(t.Context())
		require.NoError(t, err)
	})
}

func TestOpenRefusesMoreEventsThanASegmentHas(t *testing.T) {
	t.Parallel()
	first := make([]json.RawMessage, 1001)
	for i := range first {
		first[i] = finished
	}
	_, err := newStore(t, table.NewMemory(nil), nil).Open(t.Context(), newSession(t), "1", first...)
	require.ErrorIs(t, err, replay.ErrInvalid)
}
