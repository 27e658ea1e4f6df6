package approval

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/faultytable"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tools"
)

// A table that fails for a moment does not cost the person's decision, nor the request for it.
func TestAShortFailureOfTheTableDoesNotLoseAnApproval(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		errTable := errors.New("the table does not answer")
		failures := 0
		fail := func() bool {
			failures--
			return failures >= 0
		}
		b := newBundleOn(t, &faultytable.Driver{
			Driver: table.NewMemory(nil),
			OnGet: func(ctx context.Context, d table.Driver, k table.Key) (table.Row, error) {
				if fail() {
					return table.Row{}, errTable
				}
				return d.Get(ctx, k)
			},
			OnPut: func(ctx context.Context, d table.Driver, k table.Key, r table.Row, c table.Cond) error {
				err := d.Put(ctx, k, r, c)
				if fail() {
					return errTable // the answer is lost
				}
				return err
			},
		}, nil)
		failures = 3
		_, err := b.callTool(t, b.s1, "k", `{"title":"Emma"}`)
		_, isPending := errors.AsType[*tools.PendingError](err)
		require.True(t, isPending, "%v", err)
		requests := b.listRequests(t, b.s1)
		require.Len(t, requests, 1)
		_, err = b.Decide(t.Context(), b.s1, requests[0].ID, Decision{Approve: true, By: "Ada"})
		require.NoError(t, err)

		failures = 3
		_, err = b.callTool(t, b.s1, "k", `{"title":"Emma"}`)
		require.NoError(t, err)
		require.Equal(t, []string{"k"}, b.ran)

		failures = 1 << 30
		_, err = b.callTool(t, b.s1, "other", `{"title":"Emma"}`)
		require.ErrorIs(t, err, errTable)
		require.Equal(t, []string{"k"}, b.ran, "nothing runs on a failure")
	})
}
