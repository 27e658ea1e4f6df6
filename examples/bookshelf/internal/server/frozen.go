package server

import (
	"context"
	"net/http"
)

type drainKey struct{}

// WithDrain returns a context for a request whose stream is ended when drain is done, so that its client reconnects. It
// is for a process that is frozen after its request: without it, streams last until Close.
func WithDrain(ctx, drain context.Context) context.Context {
	return context.WithValue(ctx, drainKey{}, drain)
}

func (s *Server) drainOf(r *http.Request) context.Context {
	if drain, ok := r.Context().Value(drainKey{}).(context.Context); ok {
		return drain
	}
	return s.streams
}

// Recover takes over the runs of processes that have died, once. See [Server.Watch].
func (s *Server) Recover(ctx context.Context) error { return s.runs.Recover(ctx, s.o.Table.System()) }

// Settle waits until the runs of this process have ended, or until soft ends. Then it hands the rest over, each at its
// next checkpoint, or interrupted when hard ends.
func (s *Server) Settle(soft, hard context.Context) error {
	if s.runs.WaitAll(soft) == nil {
		return nil
	}
	return s.runs.HandOver(hard)
}
