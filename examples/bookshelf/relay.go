package main

import (
	"context"
	"errors"
	"log/slog"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/arrivals"
	"github.com/carrel-go/carrel/presign"
)

// relay buffers the storage's messages until the desk is open, then hands them to it.
type relay struct {
	log  *slog.Logger
	open chan struct{}
	desk *arrivals.Desk
}

func newRelay(log *slog.Logger) *relay { return &relay{log: log, open: make(chan struct{})} }

// to opens the desk, once.
func (r *relay) to(desk *arrivals.Desk) {
	r.desk = desk
	close(r.open)
}

// message handles a message that is not delivered again. If that fails, an extract or a sweep finds the upload.
func (r *relay) message(ctx context.Context, raw []byte) {
	var err error
	select {
	case <-r.open:
		err = r.desk.Message(ctx, raw)
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	if err != nil && !errors.Is(err, presign.ErrEvent) { // already reported
		r.log.WarnContext(ctx, "handle storage event", "err", err)
	}
}
