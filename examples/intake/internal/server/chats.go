package server

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/carrel-go/carrel/agent/chatlist"
	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/httpapi"
	"github.com/carrel-go/carrel/scope"
)

// chatPage is the number of chats of a page.
const chatPage = 20

// chatRow is a chat in a list.
type chatRow struct {
	ID      string    `json:"chat_id"`
	Title   string    `json:"title"`
	Started time.Time `json:"started_at"`
}

// listOrStartChat answers GET and POST /api/chat.
func (s *Server) listOrStartChat(w http.ResponseWriter, r *http.Request) error {
	if r.Method == http.MethodGet {
		return s.serveChats(w, r)
	}
	return s.serveChat(w, r)
}

// serveChats answers GET /api/chat with a page of the caller's chats, newest first.
func (s *Server) serveChats(w http.ResponseWriter, r *http.Request) error {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil || len(q["cursor"]) > 1 {
		return newProblem(http.StatusBadRequest, "The query of the URL is malformed.")
	}
	page, err := s.chats.Page(r.Context(), callerOf(r), q.Get("cursor"), chatPage)
	if errors.Is(err, chatlist.ErrCursor) {
		return newProblem(http.StatusBadRequest, "The parameter cursor is not from a list of these chats.")
	}
	if err != nil {
		return err
	}
	out := struct {
		Chats []chatRow `json:"chats"`
		Next  string    `json:"next,omitempty"`
	}{[]chatRow{}, page.Next}
	for _, c := range page.Chats {
		out.Chats = append(out.Chats, chatRow{c.ID, c.Title, c.Started})
	}
	return httpapi.WriteJSON(w, out)
}

// listChat puts the chat of a run on the list of its user, with the name of the file that it takes in or its message as
// the title. A chat that cannot be listed now is listed with its next run.
func (s *Server) listChat(ctx context.Context, r *runner.Run, file string) {
	title := r.Prompt
	if file != "" {
		title = file
	}
	if err := s.chats.Add(ctx, r.Scope, title); err != nil {
		s.o.Log.WarnContext(ctx, "list a chat", "run", r.ID, "err", err)
	}
}

// ForgetChat removes a chat that is about to be deleted from the list of its user. It is for history.Store.Clean.
func (s *Server) ForgetChat(ctx context.Context, session scope.Scope) (mustStay bool, err error) {
	return false, s.chats.Remove(ctx, session)
}
