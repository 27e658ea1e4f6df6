package library_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/library"
	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
)

// painter counts the thumbnails that it renders.
type painter struct {
	rendered int
	answer   string
	err      error
}

func (p *painter) render(context.Context, *object.Root, object.Ref) ([]byte, error) {
	p.rendered++
	return []byte(p.answer), p.err
}

// thumbnail returns the thumbnail of a book as somebody sees it.
func (w *world) thumbnail(v *library.View, id string, p *painter) (string, error) {
	w.t.Helper()
	b, err := v.Get(w.t.Context(), id)
	require.NoError(w.t, err)
	small, err := v.Thumbnail(w.t.Context(), b, p.render)
	return string(small), err
}

func TestThumbnailIsRenderedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.added(w.user, `{"title":"Emma"}`)
	p := &painter{err: errDisk}
	_, err := w.thumbnail(w.view(), id, p)
	require.ErrorIs(t, err, errDisk, "and tried again")
	p.answer, p.err = "small", nil
	for range 3 {
		got, err := w.thumbnail(w.view(), id, p)
		require.NoError(t, err)
		require.Equal(t, "small", got)
	}
	require.Equal(t, 2, p.rendered)
	session := must.Get(w.user.Session(id))
	var names []string
	for ref, err := range must.Get(w.raw.In(session)).List(t.Context()) {
		require.NoError(t, err)
		names = append(names, ref.Name())
	}
	require.Len(t, names, 2, "beside metadata.json: %v", names)
}

func TestPhotoWithoutThumbnailIsNotRenderedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.added(w.user, `{"title":"Emma"}`)
	p := &painter{} // it can never be decoded
	for range 3 {
		got, err := w.thumbnail(w.view(), id, p)
		require.NoError(t, err)
		require.Empty(t, got)
	}
	require.Equal(t, 1, p.rendered)
}

// Two requests may render the same thumbnail at the same time. Both are answered.
func TestThumbnailOfAnotherRequestStays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.added(w.user, `{"title":"Emma"}`)
	b := must.Get(w.view().Get(t.Context(), id))
	inner := &painter{answer: "inner"}
	got, err := w.view().Thumbnail(t.Context(), b, func(context.Context, *object.Root, object.Ref) ([]byte, error) {
		_, err := w.thumbnail(w.view(), id, inner)
		return []byte("outer"), err
	})
	require.NoError(t, err)
	require.Equal(t, "outer", string(got))
	again, err := w.thumbnail(w.view(), id, inner)
	require.NoError(t, err)
	require.Equal(t, "inner", again)
}

func TestColleagueSeesTheThumbnailOfASharedBook(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.added(w.user, `{"title":"Emma"}`)
	_, err := w.view().Share(t.Context(), id, 0)
	require.NoError(t, err)
	acme := must.Get(scope.Tenant("acme"))
	bob := must.Get(acme.User("bob"))
	p := &painter{answer: "small"}
	_, err = w.thumbnail(must.Get(w.library.Open(bob, w.shared.ReadOnly())), id, p)
	require.ErrorIs(t, err, scope.ErrDenied, "it cannot be stored")
	for range 2 {
		got, err := w.thumbnail(must.Get(w.library.Open(bob, w.shared)), id, p)
		require.NoError(t, err)
		require.Equal(t, "small", got)
	}
	require.Equal(t, 2, p.rendered)
	got, err := w.thumbnail(must.Get(w.library.Open(bob, w.shared.ReadOnly())), id, p)
	require.NoError(t, err, "it is stored")
	require.Equal(t, "small", got)
}

func TestDeletedPhotoHasNoThumbnail(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.added(w.user, `{"title":"Emma"}`)
	root := must.Get(w.landing.In(must.Get(w.user.Session(id))))
	require.NoError(t, root.Delete(t.Context(), must.Get(root.Ref("cover.png"))))
	b := must.Get(w.view().Get(t.Context(), id))
	_, err := w.view().Thumbnail(t.Context(), b, func(ctx context.Context, root *object.Root, ref object.Ref) ([]byte, error) {
		_, _, err := root.Open(ctx, ref, nil)
		return nil, errors.Join(errors.New("render"), err)
	})
	require.ErrorIs(t, err, object.ErrNotFound)
}

// A correction keeps the photo and the address of its thumbnail. A row that was read has the address of one that was
// just made.
func TestPhotoIDChangesOnlyWithThePhoto(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id, other := w.added(w.user, `{"title":"Emma"}`), w.added(w.user, `{"title":"Emma"}`)
	first := must.Get(w.view().Get(t.Context(), id))
	require.NotEmpty(t, first.PhotoID())
	require.NotEqual(t, first.PhotoID(), func() string {
		b := must.Get(w.view().Get(t.Context(), other))
		return b.PhotoID()
	}())
	corrected := must.Get(w.view().Correct(t.Context(), id, 1, must.Get(w.view().Get(t.Context(), other)).Metadata))
	require.Equal(t, first.PhotoID(), corrected.PhotoID())
	shared := must.Get(w.view().Share(t.Context(), id, 0))
	read := must.Get(must.Get(w.library.Open(must.Get(must.Get(scope.Tenant("acme")).User("bob")), w.shared)).Get(t.Context(), id))
	require.Equal(t, shared.PhotoID(), read.PhotoID())
	require.NotEqual(t, first.PhotoID(), shared.PhotoID())
	none := library.Book{}
	require.Empty(t, none.PhotoID())
}
