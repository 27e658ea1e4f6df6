package server

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/library"
	"github.com/carrel-go/carrel/httpapi"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/tracking"
)

// serveFiles answers GET /api/ops/files: a page of the uploads that the caller may see, newest first.
func (s *Server) serveFiles(w http.ResponseWriter, r *http.Request) error {
	q, err := parseQuery(r)
	if err != nil {
		return err
	}
	f, err := parseFilter(q)
	if err != nil {
		return err
	}
	viewer, err := viewerOf(r, q)
	if err != nil {
		return err
	}
	page, err := s.listUploads(r.Context(), viewer, f)
	if errors.Is(err, tracking.ErrInvalid) {
		return newProblem(http.StatusBadRequest, "The parameter cursor is not valid for this list.")
	}
	if err != nil {
		return err
	}
	files := make([]json.RawMessage, len(page.Records))
	for i, rec := range page.Records {
		extra := fileExtra{
			Title: rec.Labels[library.TitleLabel], Own: callerOf(r).Contains(rec.Scope), Name: rec.Labels[displayLabel],
		}
		if files[i], err = encodeFile(rec, extra); err != nil {
			return err
		}
	}
	body := map[string]any{"files": files, "count": len(files)}
	if page.Next != "" {
		body["next"] = page.Next
	}
	if f.Match != nil {
		body["capped"] = page.Next != "" && len(files) < f.Limit
	}
	return writeTagged(w, r, body)
}

// listUploads returns a page of a list. Searches read many rows, so the tenants take turns at them.
func (s *Server) listUploads(ctx context.Context, viewer scope.Scope, f tracking.Filter) (tracking.Page, error) {
	if f.Match != nil {
		release, err := s.searches.Acquire(ctx, viewer, 1)
		if err != nil {
			return tracking.Page{}, err
		}
		defer release()
	}
	return s.o.Tracker.List(ctx, viewer, f)
}

// viewerOf returns the Scope whose uploads are listed. With owner=me, that is the caller.
func viewerOf(r *http.Request, q url.Values) (scope.Scope, error) {
	switch {
	case !q.Has("owner"):
		return watchedBy(r), nil
	case q.Get("owner") == "me":
		return callerOf(r), nil
	}
	return scope.Scope{}, newProblem(http.StatusBadRequest, "The parameter owner must be me.")
}

// defaultPage and maxPage are the numbers of uploads on a page.
const (
	defaultPage = 50
	maxPage     = 100
)

// parseFilter reads the query of a list.
func parseFilter(q url.Values) (f tracking.Filter, err error) {
	f = tracking.Filter{Limit: defaultPage, Cursor: q.Get("cursor")}
	switch c := tracking.Class(q.Get("status")); c {
	case tracking.ClassActive, tracking.ClassWaiting, tracking.ClassFailed, tracking.ClassSuccess:
		f.Class = c
	default:
		if q.Has("status") {
			return f, newProblem(http.StatusBadRequest, "The parameter status must be active, waiting, failed or success.")
		}
	}
	if q.Has("limit") {
		f.Limit, err = strconv.Atoi(q.Get("limit"))
		if err != nil || f.Limit < 1 || f.Limit > maxPage || q.Get("limit") != strconv.Itoa(f.Limit) {
			return f, newProblem(http.StatusBadRequest, "The parameter limit must be an integer from 1 to 100.")
		}
	}
	if q.Has("cursor") && f.Cursor == "" {
		return f, newProblem(http.StatusBadRequest, "The parameter cursor is empty.")
	}
	f.Match, err = newMatcher(q.Get("q"))
	return f, err
}

// serveFile answers GET /api/ops/files/{id} with one record and its stages.
func (s *Server) serveFile(w http.ResponseWriter, r *http.Request) error {
	rec, err := s.findWatched(r)
	if err != nil {
		return err
	}
	file, err := newFile(r, rec)
	if err != nil {
		return err
	}
	return writeTagged(w, r, map[string]any{"file": file})
}

// serveCounts answers GET /api/ops/counts.
func (s *Server) serveCounts(w http.ResponseWriter, r *http.Request) error {
	q, err := parseQuery(r)
	if err != nil {
		return err
	}
	viewer, err := viewerOf(r, q)
	if err != nil {
		return err
	}
	c, err := s.o.Tracker.Count(r.Context(), viewer)
	if err != nil {
		return err
	}
	return writeTagged(w, r, c)
}

// findWatched returns the record that the path names, if the caller may see it. An upload of the caller is read
// consistently. Those of others in the tenant are found in the index.
func (s *Server) findWatched(r *http.Request) (tracking.Record, error) {
	rec, err := s.o.Tracker.Find(r.Context(), callerOf(r), r.PathValue("id"))
	if errors.Is(err, tracking.ErrNotFound) && watchedBy(r).Level() == scope.TenantLevel {
		rec, err = s.o.Tracker.Find(r.Context(), watchedBy(r), r.PathValue("id"))
	}
	if errors.Is(err, tracking.ErrNotFound) {
		return tracking.Record{}, newProblem(http.StatusNotFound, "The upload does not exist.")
	}
	return rec, err
}

// fileExtra has the members of a file that the tracker does not encode. In a list, only the first three are set.
type fileExtra struct {
	Title string `json:"title,omitempty"`
	Own   bool   `json:"own"` // whether the caller made the upload, and can open its card
	Name  string `json:"display_name,omitempty"`

	Class   tracking.Class `json:"class,omitempty"`
	Stage   tracking.Stage `json:"stage,omitempty"`
	State   tracking.State `json:"state,omitempty"`
	Changed string         `json:"changed_at,omitempty"`
}

// newFile returns the JSON of a record, with the members that a row of a list has.
func newFile(r *http.Request, rec tracking.Record) (json.RawMessage, error) {
	row := rec.Summary()
	return encodeFile(rec, fileExtra{
		Title: row.Labels[library.TitleLabel], Own: callerOf(r).Contains(row.Scope), Name: row.Labels[displayLabel],
		Class: row.Class, Stage: row.Stage, State: row.State,
		Changed: row.Changed.UTC().Format("2006-01-02T15:04:05.000Z"), // as in a row
	})
}

// encodeFile returns the JSON object of v with the members of extra, which v does not have.
func encodeFile(v any, extra fileExtra) (json.RawMessage, error) {
	object, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	members, err := json.Marshal(extra)
	if err != nil {
		return nil, err
	}
	return append(append(object[:len(object)-1], ','), members[1:]...), nil
}

// writeTagged writes JSON with an ETag, or 304 if the client has the same.
func writeTagged(w http.ResponseWriter, r *http.Request, v any) error {
	b, err := encodeJSON(v)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(b)
	tag := `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
	w.Header().Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	return httpapi.WriteJSON(w, json.RawMessage(b))
}
