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

func (b *bundle) call(t *testing.T, s scope.Scope, key, args string) (tools.Result, error) {
	t.Helper()
	return b.tool.Call(t.Context(), tools.NewCall(tools.CallOptions{Scope: s, ID: "c1", IdempotencyKey: key, Args: json.RawMessage(args)}))
}

// pending makes a call that needs approval, and returns its request.
func (b *bundle) pending(t *testing.T, s scope.Scope, key, args string) Request {
	t.Helper()
	before := b.list(t, s)
	_, err := b.call(t, s, key, args)
	p, ok := errors.AsType[*tools.PendingError](err)
	require.True(t, ok, "%v", err)
	require.NotEmpty(t, p.Reason)
	for _, r := range b.list(t, s) {
		if !containsID(before, r.ID) {
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

func (b *bundle) list(t *testing.T, s scope.Scope) []Request {
	t.Helper()
	p, err := b.List(t.Context(), s, nil)
	require.NoError(t, err)
	require.Empty(t, p.Next)
	return p.Requests
}

func TestApprovedCallRunsLaterAndElsewhere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBundle(t, nil)
		r := b.pending(t, b.s1, "k1", `{"title":"Middlemarch", "days":3}`)
		require.Equal(t, Request{
			Scope: b.s1, ID: r.ID, Tool: "lend", Call: "c1", Args: json.RawMessage(`{"days":3,"title":"Middlemarch"}`),
			Reason: "The tool lend asks to run.", Status: StatusPending, Asked: time.Now().UTC(), Expires: time.Now().UTC().Add(time.Hour),
		}, r)
		require.Regexp(t, `^[0-9a-f]{64}$`, r.ID)
		time.Sleep(time.Minute)

		// Asked again, it stays the same request; nothing has run.
		_, err := b.call(t, b.s1, "k1", `{ "days": 3, "title": "Middlemarch" }`)
		require.EqualError(t, err, "tools: pending: The tool lend asks to run.")
		require.Equal(t, []Request{r}, b.list(t, b.s1))
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
			require.Empty(t, b.list(t, s), "decided requests are not listed")
		}
		it, err := must.Get(b.table.In(b.s1)).Get(t.Context(), "approval#"+r.ID)
		require.NoError(t, err)
		require.Empty(t, it.Index, "nor does it stay in an index")

		res, err := b.call(t, b.s1, "k1", `{"title":"Middlemarch","days":3}`)
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
		r := b.pending(t, b.s1, "k"+note, `{"title":"a"}`)
		_, err := b.Decide(t.Context(), b.s1, r.ID, Decision{By: "u7", Reason: note})
		require.NoError(t, err)
		for range 2 {
			res, err := b.call(t, b.s1, "k"+note, `{"title":"a"}`)
			require.NoError(t, err)
			require.Equal(t, tools.Result{Blocks: []tools.Block{{Text: want}}, Summary: "declined by a person", IsError: true}, res)
		}
	}
	require.Empty(t, b.ran)
}

// A decision applies to one call: its scope, key, tool and arguments.
func TestApprovalIsForOneCall(t *testing.T) {
	t.Parallel()
	b := newBundle(t, nil)
	r := b.pending(t, b.s1, "k1", `{"title":"a"}`)
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
			other := b.pending(t, c.s, c.key, c.args)
			_, err := b.Decide(t.Context(), c.s, other.ID, Decision{By: "u7"})
			require.NoError(t, err)
		})
	}
	renamed, ok := must.Get(tools.Of(b.tool).Prefix("x_").Resolve(t.Context(), b.s1, nil)).Lookup("x_lend")
	require.True(t, ok)
	_, err = renamed.Call(t.Context(), tools.NewCall(tools.CallOptions{Scope: b.s1, IdempotencyKey: "k1", Args: []byte(`{"title":"a"}`)}))
	require.ErrorContains(t, err, "pending", "another name")
	require.Empty(t, b.ran)
	_, err = b.call(t, b.s1, "k1", `{"title":"a"}`)
	require.NoError(t, err)
	require.Len(t, b.ran, 1)
}

func TestRepeatedDecisionChangesNothing(t *testing.T) {
	t.Parallel()
	b := newBundle(t, nil)
	r := b.pending(t, b.s1, "k1", `{"title":"a"}`)
	first, err := b.Decide(t.Context(), b.s1, r.ID, Decision{Approve: true, By: "u7"})
	require.NoError(t, err)
	again, err := b.Decide(t.Context(), b.s1, r.ID, Decision{Approve: true, By: "u8", Reason: "me too"})
	require.NoError(t, err)
	require.Equal(t, first, again)
	other, err := b.Decide(t.Context(), b.s1, r.ID, Decision{By: "u8", Reason: "no"})
	require.ErrorIs(t, err, ErrDecided)
	require.Equal(t, first, other)
}

func TestDigestDependsOnWhereTextsEnd(t *testing.T) {
	t.Parallel()
	require.NotEqual(t, digestTexts("a", "b,c"), digestTexts("a,b", "c"))
	require.NotEqual(t, digestTexts("a", ""), digestTexts("a"))
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
		r := b.pending(t, b.s1, c.key, `{"title":"a"}`)
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
	r := b.pending(t, b.s1, "k1", `{"title":"a"}`)
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

func TestConcurrentCallsShareOneRequest(t *testing.T) {
	t.Parallel()
	b := newBundle(t, nil)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			_, err := b.call(t, b.s1, "k1", `{"title":"a"}`)
			if _, ok := errors.AsType[*tools.PendingError](err); !ok {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	require.Len(t, b.list(t, b.acme), 1)
}

func TestRequestsAndDecisionsExpire(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBundle(t, nil)
		r := b.pending(t, b.s1, "k1", `{"title":"a"}`)
		time.Sleep(time.Hour + time.Second)
		require.Empty(t, b.list(t, b.s1))
		require.Empty(t, b.list(t, b.acme))
		_, err := b.Decide(t.Context(), b.s1, r.ID, Decision{Approve: true, By: "u7"})
		require.ErrorIs(t, err, ErrNotFound)

		// A new request is made, and its decision applies for as long again.
		again := b.pending(t, b.s1, "k1", `{"title":"a"}`)
		require.Equal(t, r.ID, again.ID)
		require.True(t, again.Asked.After(r.Asked))
		_, err = b.Decide(t.Context(), b.s1, r.ID, Decision{Approve: true, By: "u7"})
		require.NoError(t, err)
		time.Sleep(59 * time.Minute)
		_, err = b.call(t, b.s1, "k1", `{"title":"a"}`)
		require.NoError(t, err)
		time.Sleep(2 * time.Minute)
		_, err = b.call(t, b.s1, "k1", `{"title":"a"}`)
		require.ErrorContains(t, err, "pending")
		require.Len(t, b.ran, 1)
	})
}

func TestListStaysInItsScope(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBundle(t, nil)
		u2 := must.Get(b.acme.User("u2"))
		scopes := []scope.Scope{b.s1, b.u1, u2, b.shared, b.acme, b.other}
		asked := map[scope.Scope]Request{}
		for _, s := range scopes {
			asked[s] = b.pending(t, s, "k", `{"title":"a"}`)
			time.Sleep(time.Second)
		}
		for s, want := range map[scope.Scope][]scope.Scope{
			b.s1: {b.s1}, b.u1: {b.s1, b.u1}, u2: {u2}, b.shared: {b.shared}, b.acme: {b.s1, b.u1, u2, b.shared, b.acme}, b.other: {b.other},
		} {
			var got []scope.Scope
			for _, r := range b.list(t, s) {
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
		require.Equal(t, b.list(t, b.acme), got)

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

func TestInvalidArgumentsAreRejected(t *testing.T) {
	t.Parallel()
	b := newBundle(t, func(_ context.Context, c *tools.Call) (string, bool, error) {
		return strings.Repeat("x", len(c.ID())*600), true, nil
	})
	_, err := b.call(t, b.s1, "", `{"title":"a"}`)
	require.ErrorIs(t, err, ErrInvalid)
	require.ErrorContains(t, err, "idempotency key")
	_, ok := errors.AsType[*tools.FatalError](err)
	require.True(t, ok)
	_, err = b.call(t, b.s1, "k", `{"title":"a"}`)
	require.ErrorIs(t, err, ErrInvalid, "a reason of 1,200 bytes")
	_, err = b.call(t, scope.Scope{}, "k", `{"title":"a"}`)
	require.Error(t, err)
	require.Empty(t, b.list(t, b.acme))

	b = newBundle(t, nil)
	_, err = b.call(t, b.s1, "k", `{"title":"`+strings.Repeat("x", 70<<10)+`"}`)
	corr, ok := errors.AsType[*tools.CorrectionError](err)
	require.True(t, ok)
	require.Contains(t, corr.Message, "too many to look at")
	r := b.pending(t, b.s1, "k", `{"title":"a"}`)
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
	_, err := b.call(t, b.s1, "", `{"title":"common"}`)
	require.NoError(t, err, "a call that needs no approval needs no key")
	require.Equal(t, "It is a rare book.", b.pending(t, b.s1, "k", `{"title":"rare"}`).Reason)
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
	_, err := b.call(t, b.s1, "k", `{"title":"Atlantis"}`)
	corr, ok := errors.AsType[*tools.CorrectionError](err)
	require.True(t, ok)
	require.Equal(t, "The book does not exist. Search the catalogue first.", corr.Message)
	_, err = b.call(t, b.s1, "k", `{"title":7}`)
	require.ErrorContains(t, err, "title: is integer 7, want string", "the schema is checked before Ask")
	require.Empty(t, b.list(t, b.acme))
	require.Empty(t, b.ran)
	b.pending(t, b.s1, "k", `{"title":"Emma"}`)
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
			r := b.pending(t, b.s1, "k", `{"title":"a"}`)
			view := must.Get(b.table.In(b.s1))
			it := must.Get(view.Get(t.Context(), "approval#"+r.ID))
			spoil(it.Attr)
			_, err := view.Put(t.Context(), it, table.Version(it.Version))
			require.NoError(t, err)
			_, err = b.call(t, b.s1, "k", `{"title":"a"}`)
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
	require.Empty(t, b.list(t, b.acme))
}

func TestListSkipsDecidedRequestsOfALateIndex(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBundle(t, nil)
		b.table = must.Get(table.New(table.NewMemory(&table.MemoryOptions{IndexDelay: time.Second}), nil))
		b.Approvals = must.Get(New(b.table, nil))
		b.tool = must.Get(tools.New("lend", "Lends a book.", func(context.Context, *tools.Call, lendIn) (string, error) { return "", nil }, b.Require(nil)))
		r := b.pending(t, b.s1, "k", `{"title":"a"}`)
		require.Empty(t, b.list(t, b.u1))
		time.Sleep(2 * time.Second)
		require.Equal(t, []Request{r}, b.list(t, b.u1))
		_, err := b.Decide(t.Context(), r.Scope, r.ID, Decision{Approve: true, By: "u7"})
		require.NoError(t, err)
		require.Empty(t, b.list(t, b.u1), "the index still has it")
		require.Empty(t, b.list(t, b.s1))
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
