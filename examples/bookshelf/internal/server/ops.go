package server

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/carrel-go/carrel/tracking"
)

// serveFiles answers GET /api/ops/files: a page of the uploads that the caller may see, newest first.
func (s *Server) serveFiles(w http.ResponseWriter, r *http.Request) error {
	q, err := parseQuery(r)
	if err != nil {
		return err
	}
	f := tracking.Filter{Cursor: q.Get("cursor")}
	switch c := tracking.Class(q.Get("status")); c {
	case tracking.ClassActive, tracking.ClassWaiting, tracking.ClassFailed, tracking.ClassSuccess:
		f.Class = c
	default:
		if q.Has("status") {
			return newProblem(http.StatusBadRequest, "The parameter status must be active, waiting, failed or success.")
		}
	}
	if q.Has("limit") {
		f.Limit, err = strconv.Atoi(q.Get("limit"))
		if err != nil || f.Limit < 1 || f.Limit > 100 || q.Get("limit") != strconv.Itoa(f.Limit) {
			return newProblem(http.StatusBadRequest, "The parameter limit must be an integer from 1 to 100.")
		}
	}
	if q.Has("cursor") && f.Cursor == "" {
		return newProblem(http.StatusBadRequest, "The parameter cursor is empty.")
	}
	viewer := watchedBy(r)
	switch owner := q.Get("owner"); {
	case owner == "me":
		viewer = callerOf(r)
	case q.Has("owner"):
		return newProblem(http.StatusBadRequest, "The parameter owner must be me.")
	}
	page, err := s.o.Tracker.List(r.Context(), viewer, f)
	if errors.Is(err, tracking.ErrInvalid) {
		return newProblem(http.StatusBadRequest, "The parameter cursor is not valid for this list.")
	}
	if err != nil {
		return err
	}
	body := map[string]any{"files": page.Records, "count": len(page.Records)}
	if page.Records == nil {
		body["files"] = []any{}
	}
	if page.Next != "" {
		body["next"] = page.Next
	}
	return writeJSON(w, body)
}

// serveFile answers GET /api/ops/files/{id} with one record and its stages.
func (s *Server) serveFile(w http.ResponseWriter, r *http.Request) error {
	rec, err := s.o.Tracker.Find(r.Context(), watchedBy(r), r.PathValue("id"))
	if errors.Is(err, tracking.ErrNotFound) {
		return newProblem(http.StatusNotFound, "The upload does not exist.")
	}
	if err != nil {
		return err
	}
	return writeJSON(w, map[string]any{"file": rec})
}

// serveCounts answers GET /api/ops/counts.
func (s *Server) serveCounts(w http.ResponseWriter, r *http.Request) error {
	c, err := s.o.Tracker.Count(r.Context(), watchedBy(r))
	if err != nil {
		return err
	}
	return writeJSON(w, c)
}
