package server

import (
	"context"
	"errors"
	"net/http"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/agui"
	"github.com/carrel-go/carrel/agent/aisdk"
	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/oidc"
	"github.com/carrel-go/carrel/sse"
	"github.com/carrel-go/carrel/tools/approval"
)

// aguiDialect is the dialect of chats that POST /api/chat/agui begins.
const aguiDialect = "agui"

// newAGUIHandler returns the handler of POST /api/chat/agui.
func (s *Server) newAGUIHandler() http.Handler {
	open := func(r *http.Request, thread string) (agui.Chat, error) {
		id, err := oidc.FromContext(r.Context())
		if err != nil {
			return nil, err
		}
		return s.openChat(id, aguiDialect, thread)
	}
	return s.handleStream(func(o sse.Options) (http.Handler, error) {
		return agui.New(open, &agui.Options{Stream: o})
	})
}

// aisdkDialect is the dialect of chats that POST /api/chat/aisdk begins.
const aisdkDialect = "aisdk"

// newAISDKHandler returns the handler of POST /api/chat/aisdk and GET /api/chat/aisdk/{id}/stream.
func (s *Server) newAISDKHandler() http.Handler {
	open := func(r *http.Request, chatID string) (aisdk.Chat, error) {
		id, err := oidc.FromContext(r.Context())
		if err != nil {
			return nil, err
		}
		return s.openChat(id, aisdkDialect, chatID)
	}
	return s.handleStream(func(o sse.Options) (http.Handler, error) {
		return aisdk.New(open, &aisdk.Options{Stream: o})
	})
}

// handleStream returns a handler that streams to a front end of another protocol. The stream ends with the drain of the
// request, see [WithDrain].
func (s *Server) handleStream(configure func(sse.Options) (http.Handler, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		writeError := func(w http.ResponseWriter, r *http.Request, err error) {
			s.handleMethod("", func(http.ResponseWriter, *http.Request) error { return chatError(err) }).ServeHTTP(w, r)
		}
		h, err := configure(sse.Options{Drain: s.drainOf(r), Unbuffered: s.o.Unbuffered, Error: writeError})
		if err != nil {
			writeError(w, r, err)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// Start is [runner.Chat.Start] for a message of a person.
func (c chat) Start(ctx context.Context, key, prompt string) (run string, err error) {
	if err := checkMessage(prompt); err != nil {
		return "", err
	}
	return c.Chat.Start(ctx, key, prompt)
}

// chatError returns the problem for an error of a chat.
func chatError(err error) error {
	if invalid, ok := errors.AsType[*agui.RequestError](err); ok {
		return newProblem(invalid.Status, invalid.Message)
	}
	if invalid, ok := errors.AsType[*aisdk.RequestError](err); ok {
		return newProblem(invalid.Status, invalid.Message)
	}
	if running, ok := errors.AsType[*runner.RunningError](err); ok {
		p := newProblem(http.StatusConflict, "A run is in flight in this chat. Wait until it has ended.")
		return p.withHeader("Location", eventsPath(running.Run))
	}
	switch {
	case errors.Is(err, agent.ErrNotWaiting):
		return newProblem(http.StatusConflict, "No run waits for this decision any more, or the opposite one was recorded.")
	case errors.Is(err, runner.ErrKeyReused):
		return newProblem(http.StatusUnprocessableEntity, "The id was used for another message.")
	case errors.Is(err, runner.ErrNotFound), errors.Is(err, sse.ErrNotFound):
		return errNoChat
	case errors.Is(err, sse.ErrExpired):
		return newProblem(http.StatusGone, "The events of this run are not kept any longer.")
	case errors.Is(err, approval.ErrInvalid), errors.Is(err, runner.ErrInvalid):
		return newProblem(http.StatusBadRequest, "The request has an invalid value.")
	}
	return startError(scope.Scope{}, err)
}
