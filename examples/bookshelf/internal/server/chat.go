package server

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/devtoken"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/librarytools"
	"github.com/carrel-go/carrel/httpapi"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/oidc"
	"github.com/carrel-go/carrel/tracking"
)

// The agents of runs that are chats. A run keeps the role of the caller who has started it. That of an extraction is
// empty.
const (
	chatAgent      = "chat"
	librarianAgent = "chat-librarian"
)

// plainDialect is the dialect of chats that POST /api/chat begins.
const plainDialect = "plain"

var (
	errNoChat       = newProblem(http.StatusNotFound, "This chat does not exist.")
	errNotLibrarian = newProblem(http.StatusForbidden, "Only librarians may share books.")
)

func isLibrarian(id oidc.Identity) bool { return slices.Contains(id.Groups, devtoken.RoleLibrarian) }

// isChat reports whether the run is a chat and not an extraction.
func isChat(r *runner.Run) bool { return r.Agent == chatAgent || r.Agent == librarianAgent }

// serveChat answers POST /api/chat: it starts the run that answers a message, and streams its events.
func (s *Server) serveChat(w http.ResponseWriter, r *http.Request) error {
	var chatID, message string
	if err := readBody(w, r, map[string]any{"chat_id": &chatID, "message": &message}); err != nil {
		return err
	}
	if message == "" {
		return newProblem(http.StatusBadRequest, "The field message is missing.")
	}
	if err := checkMessage(message); err != nil {
		return err
	}
	key, err := httpapi.IdempotencyKey(r)
	if err != nil {
		return err
	}
	id, err := oidc.FromContext(r.Context())
	if err != nil {
		return err
	}
	session, err := s.findChat(r.Context(), id, chatID, key)
	if err != nil {
		return err
	}
	run, err := s.startChat(r.Context(), id, session, message, key)
	if err != nil {
		return err
	}
	if err := s.chats.Add(r.Context(), session, message); err != nil { // the next message adds it
		s.o.Log.WarnContext(r.Context(), "list a chat", "chat", session.SessionID(), "err", err)
	}
	w.Header().Set("Location", eventsPath(run))
	w.Header().Set("Chat-Id", session.SessionID())
	s.serveRun(w, r, run)
	return nil
}

// findChat returns the session of a chat of the user, or a new one if the id is empty. A request that is repeated with
// the same idempotency key gets the same new session.
func (s *Server) findChat(ctx context.Context, id oidc.Identity, chatID, key string) (scope.Scope, error) {
	switch {
	case chatID != "":
	case key == "":
		return id.User.NewSession()
	default:
		c, err := s.openChat(id, plainDialect, key)
		if err != nil {
			return scope.Scope{}, err
		}
		return c.Session(ctx)
	}
	return s.findSession(ctx, id, chatID)
}

// findSession returns the session of a chat of the user.
func (s *Server) findSession(ctx context.Context, id oidc.Identity, chatID string) (scope.Scope, error) {
	session, err := id.User.Session(chatID)
	if err != nil {
		return scope.Scope{}, errNoChat
	}
	// The session of an upload is not a chat, nor is one that nothing was said in.
	if _, err := s.o.Tracker.Get(ctx, session); !errors.Is(err, tracking.ErrNotFound) {
		if err == nil {
			err = errNoChat
		}
		return scope.Scope{}, err
	}
	if _, err := s.runs.Get(ctx, session, ""); !errors.Is(err, runner.ErrNotFound) {
		return session, err
	}
	turns, err := s.o.History.Page(ctx, session, "", 1) // its runs may have expired
	if err == nil && len(turns.Turns) == 0 {
		err = errNoChat
	}
	return session, err
}

// startChat starts the run that answers a message of the caller in the session of a chat, and returns its id. The
// idempotency key may be empty.
func (s *Server) startChat(
	ctx context.Context, id oidc.Identity, session scope.Scope, message, key string,
) (string, error) {
	run, err := s.runs.Start(ctx, runner.Request{
		Scope: session, Shared: id.Shared.ReadOnly(), Agent: agentFor(id), Prompt: message, Key: key,
	})
	if err != nil {
		return "", chatError(err)
	}
	return run.ID, nil
}

// agentFor returns the agent of the caller's chats.
func agentFor(id oidc.Identity) string {
	if isLibrarian(id) {
		return librarianAgent
	}
	return chatAgent
}

// allowSharing lets the tools of a librarian's run write the shared data of the run's tenant.
func (s *Server) allowSharing(ctx context.Context, r *runner.Run) (context.Context, error) {
	if r.Agent != librarianAgent {
		return ctx, nil
	}
	tenant, err := s.o.Table.System().Above(r.Scope, scope.TenantLevel)
	if err != nil {
		return nil, err
	}
	shared, err := tenant.Scope().Shared()
	return librarytools.WithSharing(ctx, shared), err
}

// chat is a conversation of the caller under the id of another client, for the front ends of other protocols.
type chat struct {
	*runner.Chat
	isLibrarian bool
}

// openChat returns the caller's conversation under a client's id, which need not exist yet. Equal ids of different
// dialects are different conversations.
func (s *Server) openChat(id oidc.Identity, dialect, chatID string) (chat, error) {
	c, err := s.runs.Chat(runner.Conversation{
		User: id.User, Dialect: dialect, ID: chatID, Agent: agentFor(id), Shared: id.Shared.ReadOnly(),
		Strict: dialect == aguiDialect,
	})
	return chat{c, isLibrarian(id)}, err
}

// Decide is [runner.Chat.Decide] for a caller who may decide so.
func (c chat) Decide(
	ctx context.Context, run string, ds ...agent.Decision,
) (string, error) {
	if err := checkDecisions(c.isLibrarian, ds); err != nil {
		return "", err
	}
	return c.Chat.Decide(ctx, run, ds...)
}

// checkDecisions returns an error unless the caller may decide so: all tools that need an approval need a librarian,
// and the caller may have lost the role since the run began.
func checkDecisions(isLibrarian bool, ds []agent.Decision) error {
	isApproved := func(d agent.Decision) bool { return d.Approved }
	if !isLibrarian && slices.ContainsFunc(ds, isApproved) {
		return errNotLibrarian
	}
	return nil
}
