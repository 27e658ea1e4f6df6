package main

import (
	"context"
	"errors"
	"log/slog"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/arrivals"
	"github.com/carrel-go/carrel/presign"
)

// relay takes messages from the moment that the storage runs, and hands them to the desk once that is open.
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

// message deals with a message that will not come again. Where that fails, an extract or a sweep finds the upload.
func (r *relay) message(ctx context.Context, raw []byte) {
	var err error
	select {
	case <-r.open:
		err = r.desk.Message(ctx, raw)
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	if err != nil && !errors.Is(err, presign.ErrEvent) { // that is reported already
		r.log.WarnContext(ctx, "an event of the storage was not dealt with", "err", err)
	}
}
