package server

import (
	"context"
	"errors"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/tracking"
)

// ForgetChat removes a chat that is about to be deleted from the list of its user. It reports true for the session of
// an upload, whose conversation is deleted with its record. It is for history.Store.Clean.
func (s *Server) ForgetChat(ctx context.Context, session scope.Scope) (mustStay bool, err error) {
	_, err = s.o.Tracker.Get(ctx, session)
	if err == nil {
		return true, nil
	}
	if !errors.Is(err, tracking.ErrNotFound) {
		return false, err
	}
	return false, s.chats.Remove(ctx, session)
}
