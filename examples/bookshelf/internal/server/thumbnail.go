package server

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/library"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/oidc"
	"github.com/carrel-go/carrel/tools"
)

// keepForever is how a thumbnail may be cached: its address has the id of the photo.
const keepForever = "private, max-age=31536000, immutable"

// errNoThumbnail is the answer for a book whose photo is missing or cannot be decoded, and for another photo.
var errNoThumbnail = newProblem(http.StatusNotFound, "The book does not have this thumbnail.")

// thumbnailURL returns the address of the thumbnail of a book, which changes with its photo, or "" without a photo.
func thumbnailURL(b library.Book) string {
	photo := b.PhotoID()
	if photo == "" {
		return ""
	}
	return "/api/bookshelf/" + url.PathEscape(b.ID) + "/thumbnail?photo=" + photo
}

// serveThumbnail answers GET /api/bookshelf/{id}/thumbnail?photo= with a small JPEG of the photo. It is made by the
// first request for it. Only a request with the same token may be answered from a cache, other ones are validated.
func (s *Server) serveThumbnail(w http.ResponseWriter, r *http.Request) error {
	q, err := parseQuery(r)
	if err != nil {
		return err
	}
	id, err := oidc.FromContext(r.Context())
	if err != nil {
		return err
	}
	// The first to see a shared book stores its thumbnail, so everybody may write it.
	v, err := s.o.Library.Open(id.User, id.Shared)
	if err != nil {
		return err
	}
	b, err := v.Get(r.Context(), r.PathValue("id"))
	if err != nil {
		return bookError(err)
	}
	photo := b.PhotoID()
	if photo == "" || q.Get("photo") != photo {
		return errNoThumbnail
	}
	h := w.Header()
	h.Add("Vary", "Authorization")
	tag := `"` + photo + `"`
	if r.Header.Get("If-None-Match") == tag { // without a request to the store
		h.Set("Cache-Control", keepForever)
		h.Set("ETag", tag)
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	picture, err := v.Thumbnail(r.Context(), b, s.renderThumbnail)
	switch {
	case errors.Is(err, object.ErrNotFound), errors.Is(err, object.ErrChanged), err == nil && len(picture) == 0:
		return errNoThumbnail
	case err != nil:
		return err
	}
	h.Set("Cache-Control", keepForever)
	h.Set("ETag", tag)
	h.Set("Content-Type", "image/jpeg")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(picture))
	return nil
}

// renderThumbnail returns the thumbnail of a photo, or nothing if the photo can never be decoded.
func (s *Server) renderThumbnail(ctx context.Context, root *object.Root, ref object.Ref) ([]byte, error) {
	picture, err := s.o.Photos.Thumbnail(ctx, root, ref)
	if _, isFatal := errors.AsType[*tools.FatalError](err); isFatal {
		s.o.Log.WarnContext(ctx, "a photo does not have a thumbnail", "scope", root.Scope().String(), "err", err)
		return nil, nil
	}
	return picture, err
}
