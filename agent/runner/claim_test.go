package runner

import (
	"context"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/faultytable"
	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

// claimed returns two claims of a run by one process, which both read the same HEAD.
func claimed(t *testing.T, d table.Driver) (first, second *active) {
	t.Helper()
	tb := must.Get(table.New(d, nil))
	r := must.Get(New(tb, Host{Agent: nil, Stream: streamAgent(nil)}, nil))
	session := must.Get(must.Get(must.Get(scope.Tenant("acme")).User("u1")).NewSession())
	view := must.Get(tb.In(session))
	h := head{n: 1, status: StatusRunning, nonce: rand.Text(), claim: rand.Text(), epoch: 1, owner: "another process"}
	it := must.Get(view.Put(t.Context(), h.encodeItem(session, time.Hour), table.Absent()))
	h.version = it.Version
	claim := func() *active {
		h := h
		h.claim, h.epoch, h.owner = rand.Text(), 2, r.id
		return newActive(t.Context(), r, session, view, h)
	}
	return claim(), claim()
}

// Of two takeovers by one process, only one wins, although both have its id and the same epoch.
func TestATakeoverIsNotTakenForAnotherOfTheSameProcess(t *testing.T) {
	t.Parallel()
	first, second := claimed(t, table.NewMemory(nil))
	require.NoError(t, first.winEpoch(t.Context()))
	require.ErrorIs(t, second.winEpoch(t.Context()), errLost)
	require.NoError(t, first.updateHead(t.Context(), func(h *head) { h.lease = time.Now() }))
	require.ErrorIs(t, second.updateHead(t.Context(), func(h *head) { h.lease = time.Now() }), errLost)
}

// A takeover whose answer was lost knows its own claim.
func TestATakeoverKnowsItsClaimAfterALostAnswer(t *testing.T) {
	t.Parallel()
	isLost := false
	d := &faultytable.Driver{Driver: table.NewMemory(nil), OnPut: func(
		ctx context.Context, d table.Driver, k table.Key, r table.Row, c table.Cond,
	) error {
		err := d.Put(ctx, k, r, c)
		if isLost && err == nil {
			return errors.New("the answer is lost")
		}
		return err
	}}
	first, second := claimed(t, d)
	isLost = true
	require.Error(t, first.winEpoch(t.Context()))
	isLost = false
	require.NoError(t, first.winEpoch(t.Context()))
	require.ErrorIs(t, second.winEpoch(t.Context()), errLost)
}
