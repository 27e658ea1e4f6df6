package approval

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tools"
)

func TestRepeatedDecisionChangesNothing(t *testing.T) {
	t.Parallel()
	b := newBundle(t, nil)
	r := b.requestApproval(t, b.s1, "k1", `{"title":"a"}`)
	first, err := b.Decide(t.Context(), b.s1, r.ID, Decision{Approve: true, By: "u7"})
	require.NoError(t, err)
	again, err := b.Decide(t.Context(), b.s1, r.ID, Decision{Approve: true, By: "u8", Reason: "me too"})
	require.NoError(t, err)
	require.Equal(t, first, again)
	other, err := b.Decide(t.Context(), b.s1, r.ID, Decision{By: "u8", Reason: "no"})
	require.ErrorIs(t, err, ErrDecided)
	require.Equal(t, first, other)
}

// between runs a function between the reading of a row and its writing.
type between struct {
	table.Driver
	before func()
}

func (d *between) Put(ctx context.Context, k table.Key, r table.Row, c table.Cond) error {
	if f := d.before; f != nil {
		d.before = nil
		f()
	}
	return d.Driver.Put(ctx, k, r, c)
}

func TestSecondDecisionReturnsTheFirst(t *testing.T) {
	t.Parallel()
	d := &between{Driver: table.NewMemory(nil)}
	b := newBundleOn(t, d, nil)
	for _, c := range []struct {
		key           string
		first, second bool
	}{{"k2", false, true}, {"k3", true, false}, {"k4", true, true}} {
		r := b.requestApproval(t, b.s1, c.key, `{"title":"a"}`)
		d.before = func() {
			_, err := b.Decide(t.Context(), b.s1, r.ID, Decision{Approve: c.first, By: "first"})
			require.NoError(t, err)
		}
		got, err := b.Decide(t.Context(), b.s1, r.ID, Decision{Approve: c.second, By: "second"})
		if c.first == c.second {
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, ErrDecided)
		}
		require.Equal(t, "first", got.By)
		stands, err := b.Get(t.Context(), b.s1, r.ID)
		require.NoError(t, err)
		require.Equal(t, stands, got)
	}
}

func TestConcurrentDecisionsAgree(t *testing.T) {
	t.Parallel()
	b := newBundle(t, nil)
	r := b.requestApproval(t, b.s1, "k1", `{"title":"a"}`)
	var wg sync.WaitGroup
	got := make([]Request, 16)
	for i := range got {
		wg.Go(func() {
			var err error
			got[i], err = b.Decide(context.Background(), b.s1, r.ID, Decision{Approve: i%2 == 0, By: fmt.Sprint(i)})
			if agrees := (got[i].Status == StatusApproved) == (i%2 == 0); agrees != (err == nil) || err != nil && !errors.Is(err, ErrDecided) {
				t.Errorf("%d: %v, %v", i, got[i].Status, err)
			}
		})
	}
	wg.Wait()
	for _, g := range got {
		require.Equal(t, got[0], g)
	}
}

func TestRequestsAndDecisionsExpire(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBundle(t, nil)
		r := b.requestApproval(t, b.s1, "k1", `{"title":"a"}`)
		time.Sleep(time.Hour + time.Second)
		require.Empty(t, b.listRequests(t, b.s1))
		require.Empty(t, b.listRequests(t, b.acme))
		_, err := b.Decide(t.Context(), b.s1, r.ID, Decision{Approve: true, By: "u7"})
		require.ErrorIs(t, err, ErrNotFound)

		// A new request is made, and its decision applies for as long again.
		again := b.requestApproval(t, b.s1, "k1", `{"title":"a"}`)
		require.Equal(t, r.ID, again.ID)
		require.True(t, again.Asked.After(r.Asked))
		_, err = b.Decide(t.Context(), b.s1, r.ID, Decision{Approve: true, By: "u7"})
		require.NoError(t, err)
		time.Sleep(59 * time.Minute)
		_, err = b.callTool(t, b.s1, "k1", `{"title":"a"}`)
		require.NoError(t, err)
		time.Sleep(2 * time.Minute)
		_, err = b.callTool(t, b.s1, "k1", `{"title":"a"}`)
		require.ErrorContains(t, err, "pending")
		require.Len(t, b.ran, 1)
	})
}

func TestReadOnlyScopeDecidesNothing(t *testing.T) {
	t.Parallel()
	b := newBundle(t, nil)
	_, err := b.tool.Call(t.Context(), tools.NewCall(tools.CallOptions{Scope: b.s1, IdempotencyKey: "k", Args: []byte(`{"title":"Emma"}`)}))
	require.Error(t, err)
	page, err := b.List(t.Context(), b.acme.ReadOnly(), nil)
	require.NoError(t, err)
	require.Len(t, page.Requests, 1)
	r := page.Requests[0]
	_, err = b.Decide(t.Context(), r.Scope, r.ID, Decision{Approve: true, By: "p"})
	require.ErrorIs(t, err, scope.ErrReadOnly)
	_, err = b.Decide(t.Context(), b.s1, r.ID, Decision{Approve: true, By: "p"})
	require.NoError(t, err)
}
