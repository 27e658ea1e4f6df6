package server

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/book"
	"github.com/carrel-go/carrel/scope/oidc"
)

// correctBook answers PUT /api/bookshelf/{id}: it stores corrected metadata as a new version.
func (s *Server) correctBook(w http.ResponseWriter, r *http.Request) error {
	var raw json.RawMessage
	var version int
	if err := readBody(w, r, map[string]any{"metadata": &raw, "version": &version}); err != nil {
		return err
	}
	if raw == nil || version < 1 {
		return newProblem(http.StatusBadRequest, "The fields metadata and version are required.")
	}
	meta, err := book.Decode(raw)
	if err != nil {
		return newMetadataProblem(err)
	}
	v, err := s.openLibrary(r)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), settleTime)
	defer cancel()
	b, err := v.Correct(ctx, r.PathValue("id"), version, meta)
	if err != nil {
		return bookError(err)
	}
	return s.writeBook(w, r, v, b)
}

// shareBook answers POST /api/bookshelf/{id}/share: it shares a version of the caller's own book with the tenant, the
// current one unless the body names another.
func (s *Server) shareBook(w http.ResponseWriter, r *http.Request) error {
	id, err := oidc.FromContext(r.Context())
	if err != nil {
		return err
	}
	if !isLibrarian(id) {
		return errNotLibrarian
	}
	var version int
	if r.ContentLength != 0 {
		if err := readBody(w, r, map[string]any{"version": &version}); err != nil {
			return err
		}
	}
	if version < 0 {
		return newProblem(http.StatusBadRequest, "The field version must be positive.")
	}
	v, err := s.openLibrary(r)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), settleTime)
	defer cancel()
	b, err := v.Share(ctx, r.PathValue("id"), version)
	if err != nil {
		return bookError(err)
	}
	return s.writeBook(w, r, v, b)
}
