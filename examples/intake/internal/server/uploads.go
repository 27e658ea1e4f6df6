package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/carrel-go/carrel/examples/intake/internal/files"
	"github.com/carrel-go/carrel/httpapi"
	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/presign/arrivals"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tracking"
)

const (
	putTime    = 15 * time.Minute // the life of the grant of one PUT
	partsTime  = 24 * time.Hour   // the time for all parts of a large file
	grace      = 15 * time.Minute // how long after its grant an upload may still be in flight
	partSize   = 16 << 20
	maxParts   = 10_000
	settleTime = 5 * time.Second
	anyType    = "application/octet-stream"
)

var errNoFile = newProblem(http.StatusNotFound, "This file does not exist.")

// grantUpload answers POST /api/uploads: it makes a session, its record, and a grant or a plan.
func (s *Server) grantUpload(w http.ResponseWriter, r *http.Request) error {
	var name, media string
	var size int64
	if err := readBody(w, r, map[string]any{"name": &name, "size": &size, "type": &media}); err != nil {
		return err
	}
	switch {
	case name == "":
		return newProblem(http.StatusBadRequest, "The field name is missing.")
	case size <= 0:
		const detail = "The field size must be a number of bytes, one or more. A file must not be empty."
		return newProblem(http.StatusBadRequest, detail)
	case size > MaxUpload:
		detail := fmt.Sprintf("The file is larger than %d GB.", MaxUpload/1_000_000_000)
		return newProblem(http.StatusRequestEntityTooLarge, detail)
	}
	if media == "" {
		media = anyType
	}
	session, err := callerOf(r).NewSession()
	if err != nil {
		return err
	}
	upload := arrivals.Upload{Filename: name, Size: size}
	if size > MaxPut {
		return s.planUpload(w, r, session, upload, media)
	}
	o := &presign.PutOptions{Type: media, Size: size, Expires: putTime}
	grant, err := s.o.Signer.Put(r.Context(), session, name, o)
	if err != nil {
		return nameProblem(err)
	}
	upload.Expires = grant.Expires
	if err := s.admitUpload(r.Context(), session, upload); err != nil {
		return err
	}
	return httpapi.WriteJSON(w, map[string]any{"id": session.SessionID(), "grant": grant})
}

// planUpload answers for a file that is sent in parts.
func (s *Server) planUpload(
	w http.ResponseWriter, r *http.Request, session scope.Scope, upload arrivals.Upload, media string,
) error {
	if _, err := session.Key(upload.Filename); err != nil {
		return nameProblem(err)
	}
	upload.Expires = time.Now().Add(partsTime)
	if err := s.admitUpload(r.Context(), session, upload); err != nil {
		return err
	}
	each := max(partSize, (upload.Size+maxParts-1)/maxParts)
	plan, err := s.o.Signer.CreateMultipart(r.Context(), session, upload.Filename, &presign.MultipartOptions{
		Type: media, Size: upload.Size, PartSize: each,
	})
	if err != nil {
		return nameProblem(err)
	}
	view, err := s.view(r)
	if err != nil {
		return err
	}
	if err := view.StorePlan(r.Context(), session.SessionID(), plan); err != nil {
		return err
	}
	return httpapi.WriteJSON(w, map[string]any{
		"id": session.SessionID(), "part_size": plan.PartSize, "parts": plan.Parts(),
	})
}

// admitUpload takes one of the user's open grants, then makes the upload's record. Both precede the response, so that
// every grant is tracked.
func (s *Server) admitUpload(ctx context.Context, session scope.Scope, upload arrivals.Upload) error {
	upload.Due = upload.Expires.Add(grace)
	if err := s.o.Admission.OpenGrant(ctx, session, upload.Expires); err != nil {
		return err
	}
	if _, err := s.o.Arrivals.Expect(ctx, session, upload); err != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
		defer cancel()
		return errors.Join(nameProblem(err), s.o.Admission.CloseGrant(ctx, session))
	}
	return nil
}

// nameProblem describes why a name or a type was rejected. It returns other errors unchanged.
func nameProblem(err error) error {
	if e, ok := errors.AsType[*scope.InvalidError](err); ok {
		return newProblem(http.StatusBadRequest, fmt.Sprintf("The file name %.80q %s.", e.Value, e.Reason))
	}
	if errors.Is(err, presign.ErrInvalid) {
		return newProblem(http.StatusBadRequest, "No upload can be granted for these values.")
	}
	return err
}

// plan returns the session and the plan of an upload in parts of the caller.
func (s *Server) plan(r *http.Request) (session scope.Scope, m presign.Multipart, err error) {
	view, err := s.view(r)
	if err != nil {
		return session, m, err
	}
	m, err = view.Plan(r.Context(), r.PathValue("id"))
	if errors.Is(err, files.ErrNotFound) {
		return session, m, errNoFile
	}
	if err != nil {
		return session, m, err
	}
	session, err = callerOf(r).Session(r.PathValue("id"))
	return session, m, err
}

// grantPart answers POST /api/uploads/{id}/parts/{n}.
func (s *Server) grantPart(w http.ResponseWriter, r *http.Request) error {
	session, m, err := s.plan(r)
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(r.PathValue("n"))
	if err != nil || n < 1 || n > m.Parts() {
		return newProblem(http.StatusBadRequest, fmt.Sprintf("The part must be a number from 1 to %d.", m.Parts()))
	}
	rec, err := s.o.Tracker.Get(r.Context(), session)
	if err != nil {
		return err
	}
	if rec.Terminal || rec.Stage(tracking.UserUpload).State == tracking.StateSuccess {
		return newProblem(http.StatusConflict, "The upload has ended.")
	}
	grant, err := s.o.Signer.Part(r.Context(), session, m, n, nil)
	if err != nil {
		return err
	}
	return httpapi.WriteJSON(w, grant)
}

// completeUpload answers POST /api/uploads/{id}/complete. It may be repeated.
func (s *Server) completeUpload(w http.ResponseWriter, r *http.Request) error {
	session, m, err := s.plan(r)
	if err != nil {
		return err
	}
	var etags []string
	if err := readBody(w, r, map[string]any{"etags": &etags}); err != nil {
		return err
	}
	if len(etags) != m.Parts() {
		return newProblem(http.StatusBadRequest, fmt.Sprintf("The field etags must have %d values.", m.Parts()))
	}
	parts := make([]presign.Part, len(etags))
	for i, etag := range etags {
		parts[i].ETag = etag
	}
	switch err := s.o.Signer.Complete(r.Context(), session, m, parts); {
	case errors.Is(err, object.ErrExists): // an earlier request has made it
	case errors.Is(err, presign.ErrParts), errors.Is(err, presign.ErrInvalid):
		return newProblem(http.StatusUnprocessableEntity, "The parts do not make up the file. Send the missing ones again.")
	case errors.Is(err, presign.ErrNoUpload):
		if _, _, arrived := s.o.Signer.Arrived(r.Context(), session, m.Name, nil); arrived != nil {
			return newProblem(http.StatusConflict, "The upload was given up.")
		}
	case err != nil:
		return err
	}
	return httpapi.WriteJSON(w, map[string]string{"status": "complete"})
}

// abortUpload answers POST /api/uploads/{id}/abort: it ends the record of an upload that has not arrived.
func (s *Server) abortUpload(w http.ResponseWriter, r *http.Request) error {
	session, err := callerOf(r).Session(r.PathValue("id"))
	if err != nil {
		return errNoFile
	}
	rec, err := s.o.Tracker.Get(r.Context(), session)
	switch {
	case errors.Is(err, tracking.ErrNotFound):
		return errNoFile
	case err != nil:
		return err
	case rec.Stage(tracking.UserUpload).State == tracking.StateSuccess || rec.Terminal:
		return newProblem(http.StatusConflict, "The upload has ended.")
	}
	if rec, err = s.o.Tracker.Cancel(r.Context(), session); err != nil {
		return err
	}
	if _, m, err := s.plan(r); err == nil {
		if err := s.o.Signer.Abort(r.Context(), session, m); err != nil && !errors.Is(err, presign.ErrNoUpload) {
			s.o.Log.WarnContext(r.Context(), "abort an upload", "scope", session.String(), "err", err)
		}
	}
	s.o.Arrivals.Discard(r.Context(), rec)
	if err := s.o.Admission.CloseGrant(r.Context(), session); err != nil {
		return err
	}
	return httpapi.WriteJSON(w, map[string]string{"status": "aborted"})
}
