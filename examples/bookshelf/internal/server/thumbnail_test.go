package server_test

import (
	"bytes"
	"image"
	"image/jpeg"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// thumbnailOf returns the address of the thumbnail in the row of a book.
func (w *world) thumbnailOf(id string) string {
	w.t.Helper()
	r := w.get("/api/bookshelf/" + id)
	require.Equal(w.t, http.StatusOK, r.Status, r.Body)
	return r.json(w.t)["book"].(map[string]any)["thumbnail_url"].(string)
}

func TestThumbnail(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.accepted(map[string]any{"title": "Emma"})
	address := w.thumbnailOf(id)
	require.True(t, strings.HasPrefix(address, "/api/bookshelf/"+id+"/thumbnail?photo="), address)
	for range 2 {
		r := w.get(address)
		require.Equal(t, http.StatusOK, r.Status, r.Body)
		require.Equal(t, "image/jpeg", r.Header.Get("Content-Type"))
		require.Equal(t, "private, max-age=31536000, immutable", r.Header.Get("Cache-Control"))
		require.Equal(t, "Authorization", r.Header.Get("Vary"))
		require.Equal(t, "nosniff", r.Header.Get("X-Content-Type-Options"))
		img, err := jpeg.Decode(strings.NewReader(r.Body))
		require.NoError(t, err)
		require.Equal(t, image.Pt(32, 32), img.Bounds().Size())
	}
	for _, other := range []string{"", "?photo=", "?photo=0123456789abcdef", "?photo=x&photo=y"} {
		r := w.get("/api/bookshelf/" + id + "/thumbnail" + other)
		require.GreaterOrEqual(t, r.Status, http.StatusBadRequest, other)
		require.Equal(t, "no-store", r.Header.Get("Cache-Control"), other)
	}
	require.Equal(t, http.StatusOK, w.put("/api/bookshelf/"+id, `{"version":1,"metadata":{"title":"Emma!"}}`).Status)
	require.Equal(t, address, w.thumbnailOf(id), "a correction keeps the photo")
}

// A page that is loaded again has another token, so its browser asks whether the thumbnail is still the same.
func TestThumbnailIsValidatedWithoutTheStore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	address := w.thumbnailOf(w.accepted(map[string]any{"title": "Emma"}))
	tag := w.get(address).Header.Get("ETag")
	require.NotEmpty(t, tag)
	store := &recording{Driver: w.rawDrv.Driver}
	w.rawDrv.Driver = store
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost"+address, nil)
	r.Header.Set("If-None-Match", tag)
	rec := httptest.NewRecorder()
	w.srv.ServeHTTP(rec, r)
	require.Equal(t, http.StatusNotModified, rec.Code)
	require.Empty(t, rec.Body.Bytes())
	require.Equal(t, "private, max-age=31536000, immutable", rec.Header().Get("Cache-Control"))
	require.Zero(t, store.opens)
	require.Equal(t, http.StatusOK, w.get(address).Status)
	require.Equal(t, 1, store.opens)
}

func TestThumbnailOfOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.as = "acme ann librarian"
	id := w.accepted(map[string]any{"title": "Emma"})
	own := w.thumbnailOf(id)
	require.Equal(t, http.StatusOK, w.get(own).Status)
	requireMissing := func(who, address string) {
		t.Helper()
		w.as = who
		of := strings.ReplaceAll(address, id, missing)
		require.Equal(t, w.get(of), w.get(address), who)
		require.Equal(t, http.StatusNotFound, w.get(address).Status)
	}
	requireMissing("acme bob", own)
	requireMissing("acme bob ops librarian", own)
	requireMissing("globex ann", own)

	w.as = "acme ann librarian"
	require.Equal(t, http.StatusOK, w.post("/api/bookshelf/"+id+"/share", map[string]any{}).Status)
	w.as = "acme bob"
	shared := w.thumbnailOf(id)
	require.NotEqual(t, own, shared)
	require.Equal(t, http.StatusNotFound, w.get(own).Status, "it is another photo")
	r := w.get(shared)
	require.Equal(t, http.StatusOK, r.Status, r.Body)
	_, err := jpeg.Decode(bytes.NewReader([]byte(r.Body)))
	require.NoError(t, err)
	requireMissing("globex ann", shared)
	requireMissing("globex bob librarian", shared)
}
