package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/book"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/booktools"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/draft"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/library"
	"github.com/carrel-go/carrel/httpapi"
	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/tracking"
)

// photoTime is how long the link to a photo is valid.
const photoTime = 5 * time.Minute

// draftView is the JSON of a draft.
type draftView struct {
	Metadata book.Metadata               `json:"metadata"`
	Sources  map[book.Field]draft.Source `json:"sources"`
	Origins  map[book.Field]string       `json:"origins,omitempty"`
	Texts    map[book.Field]string       `json:"texts,omitempty"`
	Version  string                      `json:"version"`
}

// serveDraft answers GET /api/metadata/{session} with the draft, the ids of the runs, the transcript and a link to the
// photo. If a run is in flight, the answer has its id instead of the transcript, which continues with the events of the
// run. Once a card has been accepted, the metadata is that of the book on the shelf.
func (s *Server) serveDraft(w http.ResponseWriter, r *http.Request) error {
	session, rec, err := s.findRecord(r, r.PathValue("session"))
	if err != nil {
		return err
	}
	run, err := s.runs.Get(r.Context(), session, "")
	if err != nil && !errors.Is(err, runner.ErrNotFound) {
		return err
	}
	d, err := s.loadDraft(r.Context(), session)
	if err != nil {
		return err
	}
	if isAccepted(rec) {
		m, err := s.readAccepted(r.Context(), rec)
		if err != nil {
			return err
		}
		d.edits = d.edits.Edit(d.found, m, nil)
	}
	photo, err := s.linkPhoto(r.Context(), rec)
	if err != nil {
		return err
	}
	body := struct {
		draftView
		Transcript []entry  `json:"transcript"`
		Runs       []string `json:"runs,omitempty"`
		Run        string   `json:"run_id,omitempty"`
		Photo      string   `json:"photo_url,omitempty"`
	}{d.newView(), s.buildTranscript(d.turns), listRuns(run), "", photo}
	if run != nil && !run.Status.HasEnded() {
		body.Run, body.Transcript = run.ID, []entry{}
	}
	return httpapi.WriteJSON(w, body)
}

// maxRuns is the number of runs of which a draft has the ids: the newest ones.
const maxRuns = 100

// listRuns returns the ids of the runs of a session, oldest first, from that of the newest one. The events of a run are
// kept for a week, so the first of them may have expired.
func listRuns(newest *runner.Run) []string {
	runs := []string{}
	if newest == nil {
		return runs
	}
	session, number, _ := strings.Cut(newest.ID, ".")
	n, err := strconv.Atoi(number)
	if err != nil {
		return []string{newest.ID}
	}
	for i := max(1, n-maxRuns+1); i <= n; i++ {
		runs = append(runs, session+"."+strconv.Itoa(i))
	}
	return runs
}

// saveDraft answers PUT /api/metadata/{session}/draft: it keeps the edits of a person. The metadata is the whole card,
// and may be empty. The texts are those of the other fields that are not valid yet. The version is that of the draft
// from which the card was made.
func (s *Server) saveDraft(w http.ResponseWriter, r *http.Request) error {
	var version string
	var raw json.RawMessage
	var texts map[book.Field]string
	if err := readBody(w, r, map[string]any{"metadata": &raw, "texts": &texts, "version": &version}); err != nil {
		return err
	}
	if raw == nil || version == "" {
		return newProblem(http.StatusBadRequest, "The fields metadata and version must be set.")
	}
	card, err := book.Decode(raw)
	if err != nil && !errors.Is(err, book.ErrEmpty) {
		return newMetadataProblem(err)
	}
	for f, text := range texts {
		if _, isSet := card.Get(f); isSet || text == "" || !f.Valid() {
			return newProblem(http.StatusBadRequest, fmt.Sprintf(
				"The text of %.60q must be one that is not empty, of a field that the metadata does not set.", f))
		}
	}
	session, rec, err := s.findRecord(r, r.PathValue("session"))
	if err != nil {
		return err
	}
	if rec.Terminal {
		return newProblem(http.StatusConflict, "The upload has ended, so its card cannot be changed any more.")
	}
	d, err := s.loadDraft(r.Context(), session)
	if err != nil {
		return err
	}
	if version != d.formatVersion() {
		return newDraftConflict(d)
	}
	edited := d.edits.Edit(d.found, card, texts)
	if edited.Revision() != d.edits.Revision() {
		err = s.drafts.Save(r.Context(), session, edited)
	}
	if errors.Is(err, draft.ErrChanged) {
		if d, err = s.loadDraft(r.Context(), session); err != nil {
			return err
		}
		return newDraftConflict(d)
	}
	if err != nil {
		return err
	}
	d.edits = edited
	s.renameUpload(r.Context(), rec, d.mergeEdits().Metadata)
	return httpapi.WriteJSON(w, d.newView())
}

// renameUpload shows the title of a draft in lists of uploads. If it fails, the next run or the accept does it.
func (s *Server) renameUpload(ctx context.Context, rec tracking.Record, m book.Metadata) {
	title := library.LabelTitle(m)
	if title == rec.Labels[library.TitleLabel] {
		return
	}
	now, err := s.o.Tracker.SetLabels(ctx, rec.Scope, map[string]string{library.TitleLabel: title})
	if err == nil && isAccepted(now) { // meanwhile, so the title is that of the book
		err = s.o.Library.Rename(ctx, rec.Scope)
	}
	if err != nil {
		s.o.Log.WarnContext(ctx, "set the title of an upload", "scope", rec.Scope.String(), "err", err)
	}
}

// newDraftConflict returns the problem of a request with an old version, with the present draft.
func newDraftConflict(d currentDraft) *problem {
	p := newProblem(http.StatusConflict, "The card has changed in the meantime.")
	p.Members = map[string]any{"draft": d.newView()}
	return p
}

// currentDraft holds the findings of the runs of a session and the edits of a person.
type currentDraft struct {
	turns  []agent.Turn
	newest int // number of the newest turn
	found  draft.Findings
	edits  draft.Edits
}

// loadDraft returns the draft of a session.
func (s *Server) loadDraft(ctx context.Context, session scope.Scope) (currentDraft, error) {
	root, err := s.o.Landing.In(session)
	if err != nil {
		return currentDraft{}, err
	}
	h, head, err := s.o.History.Load(ctx, session, root)
	if err != nil {
		return currentDraft{}, err
	}
	d := currentDraft{turns: h.Turns, newest: head.Turns}
	if d.found, err = booktools.Findings(h); err != nil {
		return currentDraft{}, err
	}
	d.edits, err = s.drafts.Load(ctx, session)
	return d, err
}

func (d currentDraft) mergeEdits() draft.Draft { return draft.Merge(d.found, d.edits) }

// formatVersion returns a text that identifies the findings and the edits. Clients must not interpret it.
func (d currentDraft) formatVersion() string {
	return fmt.Sprintf("%d.%d", d.newest, d.edits.Revision())
}

func (d currentDraft) newView() draftView {
	m := d.mergeEdits()
	return draftView{m.Metadata, m.Sources, m.Origins, m.Texts, d.formatVersion()}
}

// isAccepted reports whether the record's card has been accepted.
func isAccepted(rec tracking.Record) bool {
	return rec.Stage(tracking.Enrichment).State == tracking.StateSuccess
}

// readAccepted returns the metadata of an accepted book as its owner has corrected it.
func (s *Server) readAccepted(ctx context.Context, rec tracking.Record) (book.Metadata, error) {
	shelf, err := s.o.Library.Open(rec.Scope, scope.Scope{})
	if err != nil {
		return book.Metadata{}, err
	}
	b, err := shelf.Get(ctx, rec.Scope.SessionID())
	if errors.Is(err, library.ErrNotFound) {
		return book.Metadata{}, newProblem(http.StatusGone, "The accepted card has been deleted.")
	}
	return b.Metadata, err
}

// linkPhoto returns a URL of the photo that is valid for a short time, or "" if the photo is not there.
func (s *Server) linkPhoto(ctx context.Context, rec tracking.Record) (string, error) {
	if rec.Stage(tracking.UserUpload).State != tracking.StateSuccess || rec.Terminal && !isAccepted(rec) {
		return "", nil
	}
	photo, err := uploadOf(rec, s.o.Landing)
	if err != nil {
		return "", err
	}
	if photo.Version() == "" {
		photo = photo.Unpinned() // an img element cannot send If-Match
	}
	grant, err := s.o.Signer.Get(ctx, photo, &presign.GetOptions{Expires: photoTime})
	return grant.URL, err
}
