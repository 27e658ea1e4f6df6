package server

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/booktools"
	"github.com/carrel-go/carrel/scope"
)

// serveDraft answers GET /api/metadata/{session} with the metadata that the runs have found and their transcript. If a
// run is in flight, the answer has its id instead of the transcript, which continues with the events of the run.
func (s *Server) serveDraft(w http.ResponseWriter, r *http.Request) error {
	session, _, err := s.findRecord(r, r.PathValue("session"))
	if err != nil {
		return err
	}
	run, err := s.runs.Get(r.Context(), session, "")
	if err != nil && !errors.Is(err, runner.ErrNotFound) {
		return err
	}
	turns, err := s.loadTurns(r.Context(), session)
	if err != nil {
		return err
	}
	body := map[string]any{"metadata": booktools.Draft(turns...), "transcript": s.buildTranscript(turns)}
	if run != nil && !run.Status.HasEnded() {
		body["run_id"], body["transcript"] = run.ID, []entry{}
	}
	return writeJSON(w, body)
}

// loadTurns returns a session's conversation.
func (s *Server) loadTurns(ctx context.Context, session scope.Scope) ([]agent.Turn, error) {
	root, err := s.o.Landing.In(session)
	if err != nil {
		return nil, err
	}
	h, _, err := s.o.History.Load(ctx, session, root)
	return h.Turns, err
}

// entry is one piece of a transcript: a text, or a call with its result.
type entry struct {
	Role  agent.Role      `json:"role"`
	Text  string          `json:"text,omitempty"`
	ID    string          `json:"id,omitempty"`
	Name  string          `json:"name,omitempty"`
	Input json.RawMessage `json:"input,omitempty"`

	Summary string `json:"summary,omitempty"`
	IsError bool   `json:"is_error,omitempty"`
}

// buildTranscript returns the entries of a conversation, without the prompt that precedes what the person wrote.
func (s *Server) buildTranscript(turns []agent.Turn) []entry {
	list := []entry{}
	calls := map[string]int{} // positions in list; a later answer may use an id again
	for _, t := range turns {
		for _, m := range t.Messages {
			for _, p := range m.Parts {
				switch text := strings.TrimPrefix(strings.TrimPrefix(p.Text, s.o.Prompt), "\n\n"); {
				case text != "":
					list = append(list, entry{Role: m.Role, Text: text})
				case p.Use != nil:
					calls[p.Use.ID] = len(list)
					list = append(list, entry{Role: m.Role, ID: p.Use.ID, Name: p.Use.Name, Input: p.Use.Input})
				case p.Result != nil:
					if i, ok := calls[p.Result.ID]; ok {
						list[i].Summary, list[i].IsError = p.Result.Summary, p.Result.IsError
					}
				}
			}
		}
	}
	return list
}
