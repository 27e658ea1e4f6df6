package lookupcache_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/booktools"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/catalogue"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/lookupcache"
	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

var _ booktools.Source = (*lookupcache.Cache)(nil)

var emma = catalogue.Book{ISBN: "9780141439587", Title: "Emma", Author: "Jane Austen", Publisher: "Penguin", Year: 2003}

// source has one book, takes a second, and counts the questions.
type source struct {
	asked  int
	isFast bool
	err    error
}

func (*source) Name() string { return "a slow library" }

func (s *source) ByISBN(_ context.Context, _ scope.Scope, isbn string) (catalogue.Book, bool, error) {
	s.asked++
	s.wait()
	if isbn != emma.ISBN || s.err != nil {
		return catalogue.Book{}, false, s.err
	}
	return emma, true, nil
}

func (s *source) Search(_ context.Context, _ scope.Scope, title, author string) ([]catalogue.Match, error) {
	s.asked++
	s.wait()
	if s.err != nil {
		return nil, s.err
	}
	return catalogue.Rank([]catalogue.Book{emma}, title, author), nil
}

func (s *source) wait() {
	if !s.isFast {
		time.Sleep(time.Second)
	}
}

func newSession(t *testing.T, tenant, user string) scope.Scope {
	t.Helper()
	return must.Get(must.Get(must.Get(scope.Tenant(tenant)).User(user)).NewSession())
}

func newCache(t *testing.T, s *source, d table.Driver, o *lookupcache.Options) *lookupcache.Cache {
	t.Helper()
	c, err := lookupcache.New(s, must.Get(table.New(d, nil)).System(), o)
	require.NoError(t, err)
	return c
}

func TestAnswersAreKeptAndExpire(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		src, memory, ctx := &source{}, table.NewMemory(nil), t.Context()
		ann := newSession(t, "acme", "ann")
		look := func() {
			c := newCache(t, src, memory, nil) // as in another process
			b, ok, err := c.ByISBN(ctx, ann, emma.ISBN)
			require.NoError(t, err)
			require.True(t, ok)
			require.Equal(t, emma, b)
			_, ok, err = c.ByISBN(ctx, ann, "9781234567897")
			require.NoError(t, err)
			require.False(t, ok)
			hits, err := c.Search(ctx, ann, "EMMA", "Austen")
			require.NoError(t, err)
			require.Equal(t, []catalogue.Match{{Book: emma, Score: hits[0].Score}}, hits)
			hits, err = c.Search(ctx, ann, "EMMAAusten", "")
			require.NoError(t, err)
			require.Empty(t, hits, "another question, although its letters are the same")
		}
		look()
		require.Equal(t, 4, src.asked)
		look()
		require.Equal(t, 4, src.asked)
		time.Sleep(24*time.Hour + time.Second)
		look()
		require.Equal(t, 6, src.asked, "absence is kept for a day")
		time.Sleep(29 * 24 * time.Hour)
		look()
		require.Equal(t, 10, src.asked, "books are kept for thirty days")
	})
}

// An answer that another tenant has caused would come at once.
func TestNoTenantLearnsWhatAnotherHasLookedUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		src, memory := &source{}, table.NewMemory(nil)
		c := newCache(t, src, memory, nil)
		takes := func(s scope.Scope) time.Duration {
			began := time.Now()
			_, _, err := c.ByISBN(t.Context(), s, emma.ISBN)
			require.NoError(t, err)
			return time.Since(began)
		}
		require.Equal(t, time.Second, takes(newSession(t, "acme", "ann")))
		require.Zero(t, takes(newSession(t, "acme", "ben")), "the users of a tenant share answers")
		require.Equal(t, time.Second, takes(newSession(t, "other", "ann")))
		require.Equal(t, 2, src.asked)

		tb := must.Get(table.New(memory, nil))
		for tenant, want := range map[string]int{"acme": 1, "other": 1, "third": 0} {
			page, err := must.Get(tb.In(must.Get(scope.Tenant(tenant)))).Query(t.Context(), table.Query{})
			require.NoError(t, err)
			require.Len(t, page.Items, want)
			for _, found := range page.Items {
				require.True(t, strings.HasPrefix(found.Item.Sort, "lookup#"))
				require.NotContains(t, found.Item.Sort, emma.ISBN)
			}
		}
		for _, below := range []scope.Scope{newSession(t, "acme", "ann"), must.Get(must.Get(scope.Tenant("acme")).User("ann"))} {
			page, err := must.Get(tb.In(below)).Query(t.Context(), table.Query{})
			require.NoError(t, err)
			require.Empty(t, page.Items, "a user cannot read the tenant's items")
		}
		_, _, err := c.ByISBN(t.Context(), scope.Scope{}, emma.ISBN)
		require.ErrorIs(t, err, scope.ErrDenied)
	})
}

func TestErrorsAreNotKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		src := &source{err: errors.New("the library is closed")}
		c, ann := newCache(t, src, table.NewMemory(nil), nil), newSession(t, "acme", "ann")
		_, ok, err := c.ByISBN(t.Context(), ann, emma.ISBN)
		require.ErrorIs(t, err, src.err)
		require.False(t, ok)
		_, err = c.Search(t.Context(), ann, "Emma", "")
		require.ErrorIs(t, err, src.err)
		src.err = nil
		_, ok, err = c.ByISBN(t.Context(), ann, emma.ISBN)
		require.NoError(t, err)
		require.True(t, ok)
	})
}

// faulty fails at some operations.
type faulty struct {
	table.Driver
	get, put error
}

func (f *faulty) Get(ctx context.Context, k table.Key) (table.Row, error) {
	if f.get != nil {
		return table.Row{}, f.get
	}
	return f.Driver.Get(ctx, k)
}

func (f *faulty) Put(ctx context.Context, k table.Key, r table.Row, c table.Cond) error {
	if f.put != nil {
		return f.put
	}
	return f.Driver.Put(ctx, k, r, c)
}

func TestATableThatFailsDoesNotSilenceTheSource(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("the disk is full")
		var log bytes.Buffer
		d := &faulty{Driver: table.NewMemory(nil), get: broken, put: broken}
		c := newCache(t, &source{}, d, &lookupcache.Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
		b, ok, err := c.ByISBN(t.Context(), newSession(t, "acme", "ann"), emma.ISBN)
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, emma, b)
		require.Equal(t, 2, strings.Count(log.String(), "the disk is full"), log.String())

		ended, cancel := context.WithCancel(t.Context())
		cancel()
		d.get = context.Canceled
		_, _, err = c.ByISBN(ended, newSession(t, "acme", "ann"), emma.ISBN)
		require.ErrorIs(t, err, context.Canceled)
	})
}

// The items of others are neither answers nor replaced.
func TestForeignItemsAreReported(t *testing.T) {
	t.Parallel()
	for name, attr := range map[string]map[string]table.Value{
		"nothing": {}, "no text": {"answer": int64(1)}, "no JSON": {"answer": "x"}, "no list": {"answer": `{}`},
		"an unknown member": {"answer": `[{"book":{"title":"Emma","pages":7},"score":1}]`},
		"no title":          {"answer": `[{"book":{},"score":1}]`},
		"an invalid ISBN":   {"answer": `[{"book":{"title":"Emma","isbn":"1"},"score":1}]`},
		"an invalid score":  {"answer": `[{"book":{"title":"Emma"},"score":7}]`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				src, memory, ann := &source{}, table.NewMemory(nil), newSession(t, "acme", "ann")
				c := newCache(t, src, memory, &lookupcache.Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
				_, _, err := c.ByISBN(t.Context(), ann, emma.ISBN)
				require.NoError(t, err)
				view := must.Get(must.Get(table.New(memory, nil)).In(must.Get(scope.Tenant("acme"))))
				it := must.Get(view.Query(t.Context(), table.Query{})).Items[0].Item
				it.Attr = attr
				must.Get(view.Put(t.Context(), it, table.Version(it.Version)))
				b, ok, err := c.ByISBN(t.Context(), ann, emma.ISBN)
				require.NoError(t, err)
				require.True(t, ok)
				require.Equal(t, emma, b)
				require.Equal(t, 2, src.asked)
				require.Contains(t, log.String(), it.Sort)
				require.Equal(t, attr, must.Get(view.Get(t.Context(), it.Sort)).Attr)
			})
		})
	}
}

func TestTheLogCountsHitsWithoutTheQuestions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		handler := slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})
		c := newCache(t, &source{}, table.NewMemory(nil), &lookupcache.Options{Log: slog.New(handler)})
		for range 3 {
			_, err := c.Search(t.Context(), newSession(t, "acme", "ann"), "Emma", "")
			require.NoError(t, err)
		}
		require.Contains(t, log.String(), "by=title hit=true hits=2 misses=1")
		require.NotContains(t, log.String(), "Emma")
	})
}

func TestAReaderIsAnsweredWithoutAWrite(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		src := &source{}
		c := newCache(t, src, table.NewMemory(nil), nil)
		for range 2 {
			_, ok, err := c.ByISBN(t.Context(), newSession(t, "acme", "ann").ReadOnly(), emma.ISBN)
			require.NoError(t, err)
			require.True(t, ok)
		}
		require.Equal(t, 2, src.asked)
	})
}

func TestNewRejectsWhatItCannotUse(t *testing.T) {
	t.Parallel()
	system := must.Get(table.New(table.NewMemory(nil), nil)).System()
	_, err := lookupcache.New(nil, system, nil)
	require.ErrorContains(t, err, "must not be nil")
	_, err = lookupcache.New(&source{}, nil, nil)
	require.ErrorContains(t, err, "must not be nil")
	_, err = lookupcache.New(&source{}, system, &lookupcache.Options{Absent: -1})
	require.ErrorContains(t, err, "must not be negative")
}

func ExampleNew() {
	tb := must.Get(table.New(table.NewMemory(nil), nil))
	cached, err := lookupcache.New(&source{isFast: true}, tb.System(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	ann := must.Get(must.Get(scope.Tenant("acme")).User("ann"))
	for range 2 { // the second answer is that of the table
		b, ok, err := cached.ByISBN(context.Background(), ann, "9780141439587")
		fmt.Println(b.Title, ok, err)
	}
	// Output:
	// Emma true <nil>
	// Emma true <nil>
}
