package approval

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tools"
)

func TestListStaysInItsScope(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBundle(t, nil)
		u2 := must.Get(b.acme.User("u2"))
		scopes := []scope.Scope{b.s1, b.u1, u2, b.shared, b.acme, b.other}
		asked := map[scope.Scope]Request{}
		for _, s := range scopes {
			asked[s] = b.requestApproval(t, s, "k", `{"title":"a"}`)
			time.Sleep(time.Second)
		}
		for s, want := range map[scope.Scope][]scope.Scope{
			b.s1: {b.s1}, b.u1: {b.s1, b.u1}, u2: {u2}, b.shared: {b.shared}, b.acme: {b.s1, b.u1, u2, b.shared, b.acme}, b.other: {b.other},
		} {
			var got []scope.Scope
			for _, r := range b.listRequests(t, s) {
				require.Equal(t, asked[r.Scope], r)
				got = append(got, r.Scope)
			}
			require.Equal(t, want, got, "%v", s)
		}

		// The pages have the same requests.
		var got []Request
		o := &ListOptions{Limit: 2}
		for {
			p, err := b.List(t.Context(), b.acme, o)
			require.NoError(t, err)
			got = append(got, p.Requests...)
			if p.Next == "" {
				break
			}
			o.Cursor = p.Next
			_, err = b.List(t.Context(), b.u1, o)
			require.ErrorIs(t, err, ErrInvalid)
		}
		require.Equal(t, b.listRequests(t, b.acme), got)

		// A scope does not decide for another one, not even for one below it.
		for _, s := range []scope.Scope{b.acme, b.u1, b.other} {
			_, err := b.Decide(t.Context(), s, asked[b.s1].ID, Decision{Approve: true, By: "x"})
			require.ErrorIs(t, err, ErrNotFound)
		}
		_, err := b.List(t.Context(), scope.Scope{}, nil)
		require.ErrorIs(t, err, scope.ErrDenied)
		_, err = b.List(t.Context(), b.acme, &ListOptions{Limit: 101})
		require.ErrorIs(t, err, ErrInvalid)
	})
}

// List skips a row with forged index attributes.
func TestForeignRowsAreNotListed(t *testing.T) {
	t.Parallel()
	b := newBundle(t, nil)
	view := must.Get(b.table.In(b.s1))
	_, err := view.Put(t.Context(), table.Item{
		Sort: "meta", Attr: map[string]table.Value{"status": "pending"},
		Index: []table.Entry{{Slot: table.I2, Level: scope.TenantLevel, Class: "approvals", Sort: "0"}},
	}, table.Absent())
	require.NoError(t, err)
	require.Empty(t, b.listRequests(t, b.acme))
}

func TestListSkipsDecidedRequestsOfALateIndex(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBundle(t, nil)
		b.table = must.Get(table.New(table.NewMemory(&table.MemoryOptions{IndexDelay: time.Second}), nil))
		b.Approvals = must.Get(New(b.table, nil))
		b.tool = must.Get(tools.New("lend", "Lends a book.", func(context.Context, *tools.Call, lendIn) (string, error) { return "", nil }, b.Require(nil)))
		r := b.requestApproval(t, b.s1, "k", `{"title":"a"}`)
		require.Empty(t, b.listRequests(t, b.u1))
		time.Sleep(2 * time.Second)
		require.Equal(t, []Request{r}, b.listRequests(t, b.u1))
		_, err := b.Decide(t.Context(), r.Scope, r.ID, Decision{Approve: true, By: "u7"})
		require.NoError(t, err)
		require.Empty(t, b.listRequests(t, b.u1), "the index still has it")
		require.Empty(t, b.listRequests(t, b.s1))
	})
}
