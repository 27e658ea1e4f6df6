package main

import (
	"context"
	"errors"
	"log/slog"

	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/presign/arrivals"
)

// relay buffers the storage's messages until the recorder exists, then passes them on.
type relay struct {
	log      *slog.Logger
	open     chan struct{}
	recorder *arrivals.Recorder
}

func newRelay(log *slog.Logger) *relay { return &relay{log: log, open: make(chan struct{})} }

// to sets the recorder, once.
func (r *relay) to(recorder *arrivals.Recorder) {
	r.recorder = recorder
	close(r.open)
}

// message handles a message that is not delivered again. If that fails, an extract or a sweep finds the upload.
func (r *relay) message(ctx context.Context, raw []byte) {
	var err error
	select {
	case <-r.open:
		err = r.recorder.HandleMessage(ctx, raw)
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	if err != nil && !errors.Is(err, presign.ErrEvent) { // already reported
		r.log.WarnContext(ctx, "handle storage event", "err", err)
	}
}
