package server

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/chatlist"
	"github.com/carrel-go/carrel/agent/history"
	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/httpapi"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/oidc"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tools"
)

const (
	defaultChats = 20 // chats of a page
	defaultTurns = 50 // turns of a page
	maxChatPage  = 100
)

// chatRow is a chat in a list.
type chatRow struct {
	ID      string    `json:"chat_id"`
	Title   string    `json:"title"`
	Started time.Time `json:"started_at"`
}

// listOrStartChat answers GET and POST /api/chat.
func (s *Server) listOrStartChat(w http.ResponseWriter, r *http.Request) error {
	if r.Method == http.MethodGet {
		return s.listChats(w, r)
	}
	return s.serveChat(w, r)
}

// listChats answers GET /api/chat with a page of the caller's chats, newest first.
func (s *Server) listChats(w http.ResponseWriter, r *http.Request) error {
	cursor, limit, err := parsePaging(r, defaultChats)
	if err != nil {
		return err
	}
	id, err := oidc.FromContext(r.Context())
	if err != nil {
		return err
	}
	page, err := s.chats.Page(r.Context(), id.User, cursor, limit)
	if errors.Is(err, chatlist.ErrCursor) {
		return errCursor
	}
	if err != nil {
		return err
	}
	rows := make([]chatRow, 0, len(page.Chats))
	for _, c := range page.Chats {
		rows = append(rows, chatRow{c.ID, c.Title, c.Started})
	}
	body := map[string]any{"chats": rows, "count": len(rows), "rights": chatRights{isLibrarian(id)}}
	if page.Next != "" {
		body["next"] = page.Next
	}
	return httpapi.WriteJSON(w, body)
}

var errCursor = newProblem(http.StatusBadRequest, "The parameter cursor is not valid for this list.")

// parsePaging returns the parameters cursor, which may be missing, and limit.
func parsePaging(r *http.Request, defaultLimit int) (cursor string, limit int, _ error) {
	q, err := parseQuery(r)
	if err != nil {
		return "", 0, err
	}
	if q.Has("cursor") && q.Get("cursor") == "" {
		return "", 0, newProblem(http.StatusBadRequest, "The parameter cursor is empty.")
	}
	limit = defaultLimit
	if q.Has("limit") {
		limit, err = strconv.Atoi(q.Get("limit"))
		if err != nil || limit < 1 || limit > maxChatPage || q.Get("limit") != strconv.Itoa(limit) {
			return "", 0, newProblem(http.StatusBadRequest, "The parameter limit must be an integer from 1 to 100.")
		}
	}
	return q.Get("cursor"), limit, nil
}

// chatTurn is one turn of a chat's transcript.
type chatTurn struct {
	Number  int         `json:"number"`
	Entries []chatEntry `json:"entries"`
}

// chatEntry is an entry with the output of a call.
type chatEntry struct {
	entry
	Output json.RawMessage `json:"output,omitempty"` // unless it is larger than maxOutput
}

// maxOutput is the size in bytes of the largest output of a call in a transcript.
const maxOutput = 16 << 10

// serveTranscript answers GET /api/chat/{chat} with a page of its turns, the newest ones first, and with the runs to
// follow: the newest one, if it is in flight or waits for an approval, after those that it continues.
func (s *Server) serveTranscript(w http.ResponseWriter, r *http.Request) error {
	cursor, limit, err := parsePaging(r, defaultTurns)
	if err != nil {
		return err
	}
	id, err := oidc.FromContext(r.Context())
	if err != nil {
		return err
	}
	session, err := s.findSession(r.Context(), id, r.PathValue("chat"))
	if err != nil {
		return err
	}
	run, err := s.runs.Get(r.Context(), session, "")
	if err != nil && !errors.Is(err, runner.ErrNotFound) {
		return err
	}
	page, err := s.o.History.Page(r.Context(), session, cursor, limit)
	if errors.Is(err, table.ErrCursor) {
		return errCursor
	}
	if err != nil {
		return err
	}
	body := struct {
		ID     string        `json:"chat_id"`
		Turns  []chatTurn    `json:"turns"`
		Next   string        `json:"next,omitempty"`
		Run    string        `json:"run_id,omitempty"`
		Status runner.Status `json:"status,omitempty"`
		Follow []string      `json:"follow"`
		Rights chatRights    `json:"rights"`
	}{
		ID: session.SessionID(), Turns: s.newTurns(page), Next: page.Next, Follow: []string{},
		Rights: chatRights{isLibrarian(id)},
	}
	if run != nil {
		body.Run, body.Status = run.ID, run.Status
		if body.Follow, err = s.listContinued(r, session, run); err != nil {
			return err
		}
	}
	return httpapi.WriteJSON(w, body)
}

// chatRights states what the caller may do in a chat.
type chatRights struct {
	CanApprove bool `json:"can_approve"`
}

// maxContinued is the largest number of runs to follow.
const maxContinued = 20

// listContinued returns the ids of a run and those that it continues, oldest first, or none if the run has ended and
// does not wait for an approval.
func (s *Server) listContinued(r *http.Request, session scope.Scope, run *runner.Run) ([]string, error) {
	ids := []string{}
	if run.Status.HasEnded() && run.Status != runner.StatusPending {
		return ids, nil
	}
	for len(ids) < maxContinued {
		ids = append(ids, run.ID)
		if run.Continues == "" {
			break
		}
		before, err := s.runs.Get(r.Context(), session, run.Continues)
		if errors.Is(err, runner.ErrNotFound) {
			break
		}
		if err != nil {
			return nil, err
		}
		run = before
	}
	slices.Reverse(ids)
	return ids, nil
}

// newTurns returns the turns of a page, oldest first.
func (s *Server) newTurns(page history.Page) []chatTurn {
	turns := make([]chatTurn, 0, len(page.Turns))
	for _, t := range slices.Backward(page.Turns) {
		results := map[string][]tools.Block{}
		for _, m := range t.Turn.Messages {
			for _, p := range m.Parts {
				if p.Result != nil {
					results[p.Result.ID] = p.Result.Blocks
				}
			}
		}
		turn := chatTurn{t.Number, []chatEntry{}}
		for _, e := range listEntries([]agent.Turn{t.Turn}, "") {
			turn.Entries = append(turn.Entries, chatEntry{e, findOutput(results[e.ID])})
		}
		turns = append(turns, turn)
	}
	return turns
}

// findOutput returns the JSON of a result, or nil if it does not have one or is too large.
func findOutput(result []tools.Block) json.RawMessage {
	for _, b := range result {
		raw := b.JSON
		if raw == nil { // some models receive JSON as text
			raw = json.RawMessage(b.Text)
		}
		if len(raw) <= maxOutput && json.Valid(raw) {
			return raw
		}
	}
	return nil
}
