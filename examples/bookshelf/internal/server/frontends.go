package server

import (
	"context"
	"errors"
	"net/http"

	"github.com/carrel-go/carrel/agent/agui"
	"github.com/carrel-go/carrel/agent/aisdk"
	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/scope/oidc"
	"github.com/carrel-go/carrel/sse"
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
			if errors.Is(err, sse.ErrNotFound) {
				err = errNoChat
			}
			s.handle(func(http.ResponseWriter, *http.Request) error { return chatError(err) }).ServeHTTP(w, r)
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

// chatError adds to an error of a chat which run is in its way.
func chatError(err error) error {
	if running, ok := errors.AsType[*runner.RunningError](err); ok {
		p := newProblem(http.StatusConflict, "This chat is still being answered.")
		return p.WithHeader("Location", eventsPath(running.Run))
	}
	return err
}
