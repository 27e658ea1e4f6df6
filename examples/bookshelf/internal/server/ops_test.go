package server_test

import (
	"context"
	"fmt"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tracking"
)

// planter puts every row into one place of the first index, as IAM lets any writer.
type planter struct {
	table.Driver
	partition string
}

func (p planter) Put(ctx context.Context, k table.Key, r table.Row, c table.Cond) error {
	r.Index[0] = [2]string{p.partition, "f"} // before every session id, newest first
	return p.Driver.Put(ctx, k, r, c)
}

// Forged rows make a page of the list short, and nothing is missing behind it.
func TestShortPagesOfFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	session, err := w.user.NewSession()
	require.NoError(t, err)
	_, err = w.tracker.Create(t.Context(), session, &tracking.CreateOptions{Filename: "cover.jpg"})
	require.NoError(t, err)
	partition, err := w.user.Index(scope.UserLevel, string(tracking.ClassActive))
	require.NoError(t, err)
	eve, err := must.Get(table.New(planter{w.rows, partition}, nil)).In(identity(t, "globex", "eve", false).User)
	require.NoError(t, err)
	for i := range 2500 {
		_, err := eve.Put(t.Context(), table.Item{Sort: fmt.Sprint(i)}, table.Absent())
		require.NoError(t, err)
	}

	page := w.get("/api/ops/files?limit=10").json(t)
	require.Empty(t, page["files"])
	require.EqualValues(t, 0, page["count"])
	next, _ := page["next"].(string)
	require.NotEmpty(t, next)
	page = w.get("/api/ops/files?limit=10&cursor=" + url.QueryEscape(next)).json(t)
	require.Len(t, page["files"], 1)
	require.NotContains(t, page, "next")
}
