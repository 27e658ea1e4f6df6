package server

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/carrel-go/carrel/examples/intake/internal/files"
	"github.com/carrel-go/carrel/examples/intake/internal/intaketools"
	"github.com/carrel-go/carrel/examples/intake/internal/kinds"
	"github.com/carrel-go/carrel/httpapi"
	"github.com/carrel-go/carrel/tracking"
)

// pageSize is the number of files of a page.
const pageSize = 25

// fileRow is a file in a list.
type fileRow struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	Owner     string     `json:"owner"`
	State     string     `json:"state"`
	Step      string     `json:"step"` // of the pipeline: user_upload, profiled, confirmed or done
	Failure   string     `json:"failure,omitempty"`
	Kind      kinds.Kind `json:"kind"`
	KindLabel string     `json:"kind_label"`
	Rows      int64      `json:"rows,omitempty"`
	Columns   int        `json:"columns,omitempty"`
	Size      int64      `json:"size,omitempty"`
	Summary   string     `json:"summary,omitempty"`
	Created   time.Time  `json:"created_at,omitzero"`
	Changed   time.Time  `json:"changed_at,omitzero"`
	// CanConfirm, CanTakeIn and CanDelete name what the person can do next. A file that is not a table cannot be taken
	// in: Failure is the reason.
	CanConfirm bool `json:"can_confirm,omitempty"`
	CanTakeIn  bool `json:"can_take_in,omitempty"`
	CanDelete  bool `json:"can_delete,omitempty"`
	// IsShared reports that the tenant has the file, or a copy of it.
	IsShared bool `json:"is_shared,omitempty"`
}

func (s *Server) newRow(r *http.Request, f *files.File) fileRow {
	row := fileRow{
		ID: f.ID, Name: f.Name, Owner: intaketools.OwnerYou, State: intaketools.StateOf(f), Failure: f.Failure,
		Kind: f.Kind(), KindLabel: f.Kind().Label(), Changed: f.Changed, Step: string(f.Stage),
	}
	if f.Shared {
		row.Owner = intaketools.OwnerTenant
	}
	if f.Ended && f.Failure == "" {
		row.Step = "done"
	}
	if session, err := callerOf(r).Session(f.ID); err == nil {
		row.Created = session.Time()
	}
	row.IsShared = f.Shared || f.Copied
	isOpen := !f.Shared && !f.Ended
	row.CanConfirm = isOpen && f.Stage == files.Confirmed && f.Report.IsRecorded()
	row.CanTakeIn = isOpen && !f.Report.IsRecorded() && !f.Ref.IsZero() && f.State != "running" &&
		!f.NotTable
	row.CanDelete = isOpen && !f.Report.IsConfirmed() && f.Run == "" && !f.Ref.IsZero()
	if f.Report != nil {
		row.Rows, row.Columns, row.Size = f.Report.Profile.Rows, f.Report.Profile.HasColumns, f.Report.Size
		row.Summary = f.Report.Summary
	}
	return row
}

// serveFiles answers GET /api/files. The first page also has the files that the tenant shares, but not those that are
// copies of the person's own.
func (s *Server) serveFiles(w http.ResponseWriter, r *http.Request) error {
	view, err := s.view(r)
	if err != nil {
		return err
	}
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil || len(q["cursor"]) > 1 {
		return newProblem(http.StatusBadRequest, "The query of the URL is malformed.")
	}
	page, err := view.List(r.Context(), q.Get("cursor"), pageSize)
	if errors.Is(err, files.ErrInvalid) {
		return newProblem(http.StatusBadRequest, "The parameter cursor is not from a list of these files.")
	}
	if err != nil {
		return err
	}
	out := struct {
		Files  []fileRow `json:"files"`
		Shared []fileRow `json:"shared"`
		Next   string    `json:"next,omitempty"`
	}{Files: []fileRow{}, Shared: []fileRow{}, Next: page.Next}
	for i := range page.Files {
		out.Files = append(out.Files, s.newRow(r, &page.Files[i]))
	}
	if q.Get("cursor") == "" {
		shared, _, err := view.ListShared(r.Context())
		if err != nil {
			return err
		}
		for i := range shared {
			out.Shared = append(out.Shared, s.newRow(r, &shared[i]))
		}
	}
	return httpapi.WriteJSON(w, out)
}

// serveFile answers GET /api/files/{id}.
func (s *Server) serveFile(w http.ResponseWriter, r *http.Request) error {
	view, err := s.view(r)
	if err != nil {
		return err
	}
	f, err := view.Get(r.Context(), r.PathValue("id"))
	if err != nil {
		return fileProblem(err)
	}
	return s.writeFile(w, r, &f)
}

func (s *Server) writeFile(w http.ResponseWriter, r *http.Request, f *files.File) error {
	return httpapi.WriteJSON(w, map[string]any{"file": s.newRow(r, f), "report": f.Report})
}

// confirmFile answers POST /api/files/{id}/confirm.
func (s *Server) confirmFile(w http.ResponseWriter, r *http.Request) error {
	var version int64
	var kind string
	var columns []struct{ Name, Meaning string }
	fields := map[string]any{"version": &version, "kind": &kind, "columns": &columns}
	if err := readBody(w, r, fields); err != nil {
		return err
	}
	view, err := s.view(r)
	if err != nil {
		return err
	}
	st := files.Statement{Kind: kinds.Kind(kind), Meanings: map[string]string{}}
	for _, c := range columns {
		if _, isRepeated := st.Meanings[c.Name]; isRepeated {
			return newProblem(http.StatusBadRequest, fmt.Sprintf("The field columns has %.60q twice.", c.Name))
		}
		st.Meanings[c.Name] = c.Meaning
	}
	f, err := view.Confirm(r.Context(), r.PathValue("id"), version, st)
	if err != nil {
		return fileProblem(err)
	}
	return s.writeFile(w, r, &f)
}

// shareFile answers POST /api/files/{id}/share.
func (s *Server) shareFile(w http.ResponseWriter, r *http.Request) error {
	view, err := s.view(r)
	if err != nil {
		return err
	}
	f, err := view.Get(r.Context(), r.PathValue("id"))
	if err != nil {
		return fileProblem(err)
	}
	if !view.CanShare() {
		return newProblem(http.StatusForbidden, "Only stewards may share files with their colleagues.")
	}
	if f, err = view.Share(r.Context(), f.ID); err != nil {
		return fileProblem(err)
	}
	return s.writeFile(w, r, &f)
}

// deleteFile answers POST /api/files/{id}/delete: it deletes a file that is not confirmed, and its report.
func (s *Server) deleteFile(w http.ResponseWriter, r *http.Request) error {
	f, err := s.findFile(r, r.PathValue("id"))
	switch {
	case err != nil:
		return err
	case f.Shared:
		return fileProblem(files.ErrShared)
	case f.Report.IsConfirmed():
		return newProblem(http.StatusConflict, "The file was confirmed, and is kept.")
	case f.Ref.IsZero() && !f.Ended:
		return newProblem(http.StatusConflict, "The file has not arrived yet.")
	case f.Run != "":
		return newProblem(http.StatusConflict, "This file is being read. Stop it first.")
	}
	session, err := callerOf(r).Session(f.ID)
	if err != nil {
		return errNoFile
	}
	rec, err := s.o.Tracker.Cancel(r.Context(), session)
	if errors.Is(err, tracking.ErrTerminal) {
		return newProblem(http.StatusConflict, "The file has ended already.")
	}
	if err != nil {
		return err
	}
	s.o.Arrivals.Discard(r.Context(), rec)
	if err := s.o.Admission.CloseGrant(r.Context(), session); err != nil {
		return err
	}
	if err := s.o.Files.Forget(r.Context(), session); err != nil {
		return err
	}
	return httpapi.WriteJSON(w, map[string]string{"status": "deleted"})
}

// fileProblem returns the problem for an error of package files. It returns other errors unchanged.
func fileProblem(err error) error {
	switch {
	case errors.Is(err, files.ErrNotFound):
		return errNoFile
	case errors.Is(err, files.ErrNotReady):
		return newProblem(http.StatusConflict, "The file has not come that far.")
	case errors.Is(err, files.ErrChanged):
		return newProblem(http.StatusConflict, "The report has changed since you saw it. Look at it again.")
	case errors.Is(err, files.ErrConfirmed):
		return newProblem(http.StatusConflict, "The report was confirmed already. It does not change any more.")
	case errors.Is(err, files.ErrShared):
		return newProblem(http.StatusConflict, "Your tenant shares this file. It does not change any more.")
	case errors.Is(err, files.ErrTooLarge):
		const detail = "A file of more than %d GiB cannot be shared."
		return newProblem(http.StatusConflict, fmt.Sprintf(detail, files.MaxSharedSize>>30))
	case errors.Is(err, files.ErrInvalid):
		return newProblem(http.StatusBadRequest, fmt.Sprintf("The request is not valid: %v.", files.Reason(err)))
	}
	return err
}
