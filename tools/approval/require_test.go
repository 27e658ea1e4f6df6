package approval

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tools"
)

func TestApprovedCallRunsLaterAndElsewhere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBundle(t, nil)
		r := b.requestApproval(t, b.s1, "k1", `{"title":"Middlemarch", "days":3}`)
		require.Equal(t, Request{
			Scope: b.s1, ID: r.ID, Tool: "lend", Call: "c1", Args: json.RawMessage(`{"days":3,"title":"Middlemarch"}`),
			Reason: "The tool lend asks to run.", Status: StatusPending, Asked: time.Now().UTC(), Expires: time.Now().UTC().Add(time.Hour),
		}, r)
		require.Regexp(t, `^[0-9a-f]{64}$`, r.ID)
		time.Sleep(time.Minute)

		// Asked again, it stays the same request; nothing has run.
		_, err := b.callTool(t, b.s1, "k1", `{ "days": 3, "title": "Middlemarch" }`)
		require.EqualError(t, err, "tools: pending: The tool lend asks to run.")
		require.Equal(t, []Request{r}, b.listRequests(t, b.s1))
		require.Empty(t, b.ran)

		elsewhere := must.Get(New(b.table, &Options{TTL: time.Hour}))
		done, err := elsewhere.Decide(t.Context(), r.Scope, r.ID, Decision{Approve: true, By: "u7"})
		require.NoError(t, err)
		require.Equal(t, StatusApproved, done.Status)
		require.Equal(t, "u7", done.By)
		require.Equal(t, r.Asked.Add(time.Minute), done.Decided)
		require.Equal(t, done.Decided.Add(time.Hour), done.Expires)
		got, err := b.Get(t.Context(), r.Scope, r.ID)
		require.NoError(t, err)
		require.Equal(t, done, got)
		for _, s := range []scope.Scope{b.s1, b.u1, b.acme} {
			require.Empty(t, b.listRequests(t, s), "decided requests are not listed")
		}
		it, err := must.Get(b.table.In(b.s1)).Get(t.Context(), "approval#"+r.ID)
		require.NoError(t, err)
		require.Empty(t, it.Index, "nor does it stay in an index")

		res, err := b.callTool(t, b.s1, "k1", `{"title":"Middlemarch","days":3}`)
		require.NoError(t, err)
		require.Equal(t, "lent Middlemarch", res.Blocks[0].Text)
		require.Equal(t, []string{"k1"}, b.ran)
	})
}

func TestDeclinedCallReturnsTheReason(t *testing.T) {
	t.Parallel()
	b := newBundle(t, nil)
	for note, want := range map[string]string{
		"":                     "Not run: a person declined this call.",
		"It is being repaired": "Not run: a person declined this call. Their reason: It is being repaired",
	} {
		r := b.requestApproval(t, b.s1, "k"+note, `{"title":"a"}`)
		_, err := b.Decide(t.Context(), b.s1, r.ID, Decision{By: "u7", Reason: note})
		require.NoError(t, err)
		for range 2 {
			res, err := b.callTool(t, b.s1, "k"+note, `{"title":"a"}`)
			require.NoError(t, err)
			require.Equal(t, tools.Result{Blocks: []tools.Block{{Text: want}}, Summary: "declined by a person", IsError: true}, res)
		}
	}
	require.Empty(t, b.ran)
}

// Ask is asked again when the call is repeated. Its later reasons are ignored, its later answers are not.
func TestRequestKeepsTheFirstReason(t *testing.T) {
	t.Parallel()
	reason, needed := "It is rare.", true
	b := newBundle(t, func(context.Context, *tools.Call) (string, bool, error) { return reason, needed, nil })
	r := b.requestApproval(t, b.s1, "k1", `{"title":"a"}`)
	reason = "It is old."
	_, err := b.callTool(t, b.s1, "k1", `{"title":"a"}`)
	require.EqualError(t, err, "tools: pending: It is rare.")
	require.Equal(t, []Request{r}, b.listRequests(t, b.s1))

	_, err = b.Decide(t.Context(), b.s1, r.ID, Decision{By: "u7"})
	require.NoError(t, err)
	needed = false
	res, err := b.callTool(t, b.s1, "k1", `{"title":"a"}`)
	require.NoError(t, err)
	require.Equal(t, "lent a", res.Blocks[0].Text)
}

// A decision applies to one call: its scope, key, tool and arguments.
func TestApprovalIsForOneCall(t *testing.T) {
	t.Parallel()
	b := newBundle(t, nil)
	r := b.requestApproval(t, b.s1, "k1", `{"title":"a"}`)
	_, err := b.Decide(t.Context(), b.s1, r.ID, Decision{Approve: true, By: "u7"})
	require.NoError(t, err)
	second := must.Get(b.u1.NewSession())
	for name, c := range map[string]struct {
		s         scope.Scope
		key, args string
	}{
		"other arguments":  {b.s1, "k1", `{"title":"b"}`},
		"more arguments":   {b.s1, "k1", `{"title":"a","days":1}`},
		"another call":     {b.s1, "k2", `{"title":"a"}`},
		"another session":  {second, "k1", `{"title":"a"}`},
		"the user":         {b.u1, "k1", `{"title":"a"}`},
		"another tenant":   {b.other, "k1", `{"title":"a"}`},
		"pieces that blur": {b.s1, "k1,4:lend", `{"title":"a"}`},
	} {
		t.Run(name, func(t *testing.T) {
			other := b.requestApproval(t, c.s, c.key, c.args)
			_, err := b.Decide(t.Context(), c.s, other.ID, Decision{By: "u7"})
			require.NoError(t, err)
		})
	}
	renamed, ok := must.Get(tools.Of(b.tool).Prefix("x_").Resolve(t.Context(), b.s1, nil)).Lookup("x_lend")
	require.True(t, ok)
	_, err = renamed.Call(t.Context(), tools.NewCall(tools.CallOptions{Scope: b.s1, IdempotencyKey: "k1", Args: []byte(`{"title":"a"}`)}))
	require.ErrorContains(t, err, "pending", "another name")
	require.Empty(t, b.ran)
	_, err = b.callTool(t, b.s1, "k1", `{"title":"a"}`)
	require.NoError(t, err)
	require.Len(t, b.ran, 1)
}

func TestDigestDependsOnWhereTextsEnd(t *testing.T) {
	t.Parallel()
	require.NotEqual(t, digestTexts("a", "b,c"), digestTexts("a,b", "c"))
	require.NotEqual(t, digestTexts("a", ""), digestTexts("a"))
}

func TestConcurrentCallsShareOneRequest(t *testing.T) {
	t.Parallel()
	b := newBundle(t, nil)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			_, err := b.callTool(t, b.s1, "k1", `{"title":"a"}`)
			if _, ok := errors.AsType[*tools.PendingError](err); !ok {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	require.Len(t, b.listRequests(t, b.acme), 1)
}

func TestInvalidArgumentsAreRejected(t *testing.T) {
	t.Parallel()
	b := newBundle(t, func(_ context.Context, c *tools.Call) (string, bool, error) {
		return strings.Repeat("x", len(c.ID())*600), true, nil
	})
	_, err := b.callTool(t, b.s1, "", `{"title":"a"}`)
	require.ErrorIs(t, err, ErrInvalid)
	require.ErrorContains(t, err, "idempotency key")
	_, ok := errors.AsType[*tools.FatalError](err)
	require.True(t, ok)
	_, err = b.callTool(t, b.s1, "k", `{"title":"a"}`)
	require.ErrorIs(t, err, ErrInvalid, "a reason of 1,200 bytes")
	_, err = b.callTool(t, scope.Scope{}, "k", `{"title":"a"}`)
	require.Error(t, err)
	require.Empty(t, b.listRequests(t, b.acme))

	b = newBundle(t, nil)
	_, err = b.callTool(t, b.s1, "k", `{"title":"`+strings.Repeat("x", 70<<10)+`"}`)
	corr, ok := errors.AsType[*tools.CorrectionError](err)
	require.True(t, ok)
	require.Contains(t, corr.Message, "too many to look at")
	r := b.requestApproval(t, b.s1, "k", `{"title":"a"}`)
	for _, d := range []Decision{{}, {By: strings.Repeat("x", 257)}, {By: "\xff"}, {By: "x", Reason: strings.Repeat("x", 1001)}} {
		_, err = b.Decide(t.Context(), b.s1, r.ID, d)
		require.ErrorIs(t, err, ErrInvalid)
	}
	for _, id := range []string{"", "x", strings.ToUpper(r.ID), r.ID + "0", "../" + r.ID} {
		_, err = b.Decide(t.Context(), b.s1, id, Decision{By: "x"})
		require.ErrorIs(t, err, ErrNotFound)
		_, err = b.Get(t.Context(), b.s1, id)
		require.ErrorIs(t, err, ErrNotFound)
	}
	_, err = New(nil, nil)
	require.ErrorIs(t, err, ErrInvalid)
	_, err = New(b.table, &Options{TTL: -1})
	require.ErrorIs(t, err, ErrInvalid)
	require.Empty(t, b.ran)
}

func TestAskOnlyIfNeeded(t *testing.T) {
	t.Parallel()
	b := newBundle(t, func(_ context.Context, c *tools.Call) (string, bool, error) {
		return "It is a rare book.", strings.Contains(string(c.Args()), "rare"), nil
	})
	_, err := b.callTool(t, b.s1, "", `{"title":"common"}`)
	require.NoError(t, err, "a call that needs no approval needs no key")
	require.Equal(t, "It is a rare book.", b.requestApproval(t, b.s1, "k", `{"title":"rare"}`).Reason)
	require.Len(t, b.ran, 1)
}

func TestImpossibleCallIsNotAsked(t *testing.T) {
	t.Parallel()
	b := newBundle(t, func(_ context.Context, c *tools.Call) (string, bool, error) {
		if strings.Contains(string(c.Args()), "Atlantis") {
			return "", true, tools.Correct("The book does not exist. Search the catalogue first.")
		}
		return "It is a rare book.", true, nil
	})
	_, err := b.callTool(t, b.s1, "k", `{"title":"Atlantis"}`)
	corr, ok := errors.AsType[*tools.CorrectionError](err)
	require.True(t, ok)
	require.Equal(t, "The book does not exist. Search the catalogue first.", corr.Message)
	_, err = b.callTool(t, b.s1, "k", `{"title":7}`)
	require.ErrorContains(t, err, "title: must be a string, not 7", "the schema is checked before Ask")
	require.Empty(t, b.listRequests(t, b.acme))
	require.Empty(t, b.ran)
	b.requestApproval(t, b.s1, "k", `{"title":"Emma"}`)
}

// A malformed item does not approve a call, nor does a table that fails.
func TestNothingRunsOnAFailure(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(attr map[string]table.Value){
		"status":       func(a map[string]table.Value) { a["status"] = "yes" },
		"type":         func(a map[string]table.Value) { a["status"] = true },
		"missing":      func(a map[string]table.Value) { delete(a, "asked") },
		"nobody":       func(a map[string]table.Value) { a["status"] = string(StatusApproved) },
		"no arguments": func(a map[string]table.Value) { a["args"] = "{" },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBundle(t, nil)
			r := b.requestApproval(t, b.s1, "k", `{"title":"a"}`)
			view := must.Get(b.table.In(b.s1))
			it := must.Get(view.Get(t.Context(), "approval#"+r.ID))
			spoil(it.Attr)
			_, err := view.Put(t.Context(), it, table.Version(it.Version))
			require.NoError(t, err)
			_, err = b.callTool(t, b.s1, "k", `{"title":"a"}`)
			require.EqualError(t, err, fmt.Sprintf("approval: the item %q was not written by this package", "approval#"+r.ID))
			require.ErrorIs(t, err, errForeign)
			_, err = b.Decide(t.Context(), b.s1, r.ID, Decision{Approve: true, By: "x"})
			require.ErrorIs(t, err, errForeign)
			require.Empty(t, b.ran)
		})
	}
	b := newBundle(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := b.tool.Call(ctx, tools.NewCall(tools.CallOptions{Scope: b.s1, IdempotencyKey: "k", Args: []byte(`{"title":"a"}`)}))
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, b.ran)
}
