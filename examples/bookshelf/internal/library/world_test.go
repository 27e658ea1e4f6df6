package library_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/png"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/book"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/library"
	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tracking"
)

// world is a library over drivers in memory.
type world struct {
	t            *testing.T
	library      *library.Library
	rows         *driver
	table        *table.Table
	raw, landing *object.Bucket
	tracker      *tracking.Tracker
	user, shared scope.Scope
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, rows: &driver{Driver: table.NewMemory(nil)}}
	w.table = must.Get(table.New(w.rows, nil))
	w.raw = must.Get(object.New(object.NewMemory(), "raw", nil))
	w.landing = must.Get(object.New(object.NewMemory(), "landing", nil))
	w.tracker = must.Get(tracking.New(w.table, tracking.Uploads(), &tracking.Options{Retention: 3600e9}))
	w.library = must.Get(library.New(w.table, w.raw, w.landing, w.tracker, nil))
	acme := must.Get(scope.Tenant("acme"))
	w.user, w.shared = must.Get(acme.User("ann")), must.Get(acme.Shared())
	return w
}

// driver is a table whose answers the test may change, and that counts the rows that queries return.
type driver struct {
	table.Driver
	mu    sync.Mutex
	put   func(sort string, put func() error) error // nil: as it is
	query func(partition string)                    // called before a query, if it is not nil
	read  int
}

func (d *driver) Put(ctx context.Context, k table.Key, r table.Row, c table.Cond) error {
	d.mu.Lock()
	change := d.put
	d.mu.Unlock()
	put := func() error { return d.Driver.Put(ctx, k, r, c) }
	if change == nil {
		return put()
	}
	return change(k.Sort(), put)
}

func (d *driver) onPut(f func(sort string, put func() error) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.put = f
}

func (d *driver) onQuery(f func(partition string)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.query = f
}

func (d *driver) Query(ctx context.Context, q table.DriverQuery) (table.DriverPage, error) {
	d.mu.Lock()
	before := d.query
	d.mu.Unlock()
	if before != nil {
		before(q.Key.Partition())
	}
	page, err := d.Driver.Query(ctx, q)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.read += len(page.Rows)
	return page, err
}

var errDisk = errors.New("disk full")

// uploaded makes the record of an upload that has arrived.
func (w *world) uploaded(user scope.Scope) scope.Scope {
	w.t.Helper()
	ctx := w.t.Context()
	session := must.Get(user.NewSession())
	_, err := w.tracker.Create(ctx, session, &tracking.CreateOptions{Filename: "cover.png"})
	require.NoError(w.t, err)
	var picture bytes.Buffer
	require.NoError(w.t, png.Encode(&picture, image.NewGray(image.Rect(0, 0, 8, 8))))
	ref := w.put(w.landing, session, "cover.png", picture.String())
	_, err = w.tracker.Observe(ctx, session, tracking.Observation{Stage: tracking.UserUpload, Dest: ref})
	require.NoError(w.t, err)
	return session
}

func (w *world) put(b *object.Bucket, session scope.Scope, name, content string) object.Ref {
	w.t.Helper()
	root := must.Get(b.In(session))
	ref, _, err := root.Put(w.t.Context(), must.Get(root.Ref(name)), strings.NewReader(content), nil)
	require.NoError(w.t, err)
	return ref
}

func (w *world) claim(session scope.Scope) *tracking.Attempt {
	w.t.Helper()
	attempt, err := w.tracker.Claim(w.t.Context(), session, tracking.Enrichment, &tracking.ClaimOptions{Key: "k"})
	require.NoError(w.t, err)
	return attempt
}

// accepted announces an upload and ends its record, as a process does that dies before it has added the book.
func (w *world) accepted(user scope.Scope, metadata string) scope.Scope {
	w.t.Helper()
	session := w.uploaded(user)
	attempt := w.claim(session)
	require.NoError(w.t, w.library.Announce(w.t.Context(), session))
	require.NoError(w.t, attempt.Complete(w.t.Context(), w.put(w.raw, session, "metadata.json", metadata)))
	return session
}

// added is accepted with its book on the shelf.
func (w *world) added(user scope.Scope, metadata string) string {
	w.t.Helper()
	session := w.accepted(user, metadata)
	require.NoError(w.t, w.library.Add(w.t.Context(), session))
	return session.SessionID()
}

func (w *world) view() *library.View { return must.Get(w.library.Open(w.user, w.shared)) }

// list returns the ids of all books.
func (w *world) list() (ids []string) {
	w.t.Helper()
	page, err := w.view().List(w.t.Context(), &library.ListOptions{Limit: library.MaxLimit})
	require.NoError(w.t, err)
	for _, b := range page.Books {
		ids = append(ids, b.ID)
	}
	return ids
}

// notes is the number of accepts that are not settled.
func (w *world) notes() int {
	w.t.Helper()
	page, err := must.Get(w.table.In(w.user)).Query(w.t.Context(), table.Query{From: "accept#", To: "accept$"})
	require.NoError(w.t, err)
	return len(page.Items)
}

func titled(t *testing.T, title string) book.Metadata {
	t.Helper()
	m, err := book.Decode([]byte(`{"title":"` + title + `"}`))
	require.NoError(t, err)
	return m
}
