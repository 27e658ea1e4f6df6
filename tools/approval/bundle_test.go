package approval

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tools"
)

// A bundle is a tool that needs approval, over a table whose indexes do not hold our attributes.
type bundle struct {
	*Approvals
	table         *table.Table
	tool          *tools.Tool
	ran           []string // idempotency keys
	acme, u1, s1  scope.Scope
	shared, other scope.Scope // acme's shared data; a session of the same ids at another tenant
}

type lendIn struct {
	Title string `json:"title"`
	Days  int    `json:"days,omitempty"`
}

func newBundle(t *testing.T, ask Ask) *bundle {
	t.Helper()
	return newBundleOn(t, table.NewMemory(&table.MemoryOptions{Listed: []string{"filename"}}), ask)
}

func newBundleOn(t *testing.T, d table.Driver, ask Ask) *bundle {
	t.Helper()
	b := &bundle{table: must.Get(table.New(d, nil))}
	b.Approvals = must.Get(New(b.table, &Options{TTL: time.Hour}))
	b.tool = must.Get(tools.New("lend", "Lends a book.", func(_ context.Context, c *tools.Call, in lendIn) (string, error) {
		b.ran = append(b.ran, c.IdempotencyKey())
		return "lent " + in.Title, nil
	}, b.Require(ask)))
	const id = "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"
	b.acme = must.Get(scope.Tenant("acme"))
	b.u1 = must.Get(b.acme.User("u1"))
	b.s1 = must.Get(b.u1.Session(id))
	b.shared = must.Get(b.acme.Shared())
	b.other = must.Get(must.Get(must.Get(scope.Tenant("globex")).User("u1")).Session(id))
	return b
}

func (b *bundle) callTool(t *testing.T, s scope.Scope, key, args string) (tools.Result, error) {
	t.Helper()
	return b.tool.Call(t.Context(), tools.NewCall(tools.CallOptions{Scope: s, ID: "c1", IdempotencyKey: key, Args: json.RawMessage(args)}))
}

// requestApproval makes a call that needs approval, and returns its request.
func (b *bundle) requestApproval(t *testing.T, s scope.Scope, key, args string) Request {
	t.Helper()
	before := b.listRequests(t, s)
	_, err := b.callTool(t, s, key, args)
	p, ok := errors.AsType[*tools.PendingError](err)
	require.True(t, ok, "%v", err)
	require.NotEmpty(t, p.Reason)
	for _, r := range b.listRequests(t, s) {
		if !containsID(before, r.ID) {
			require.Equal(t, &tools.PendingError{Reason: r.Reason, Approval: r.ID, Expires: r.Expires}, p)
			return r
		}
	}
	t.Fatal("no new request")
	return Request{}
}

func containsID(rs []Request, id string) bool {
	for _, r := range rs {
		if r.ID == id {
			return true
		}
	}
	return false
}

func (b *bundle) listRequests(t *testing.T, s scope.Scope) []Request {
	t.Helper()
	p, err := b.List(t.Context(), s, nil)
	require.NoError(t, err)
	require.Empty(t, p.Next)
	return p.Requests
}
