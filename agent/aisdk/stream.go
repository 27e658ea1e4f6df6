package aisdk

import (
	"context"

	"github.com/carrel-go/carrel/agent/internal/frontend"
	"github.com/carrel-go/carrel/sse"
	"github.com/carrel-go/carrel/sse/replay"
)

// messageStream is the part of a message that a response streams.
type messageStream struct {
	chat  Chat
	runs  []string // that make the message
	known int      // number of them that the client has
}

func (s *messageStream) yieldFrames(ctx context.Context, yield func([]sse.Event, error) bool) error {
	t := newTranslator()
	d := replay.Dialect{FromStart: true, New: func() func(replay.Event) ([]sse.Event, error) { return t.translate }}
	for i, run := range s.runs {
		t.beginRun(runPlace{number: i, isMuted: i < s.known, isLast: i == len(s.runs)-1})
		for frames, err := range s.chat.Follow(ctx, run, "", d) {
			if err != nil {
				return err
			}
			if !yield(frames, nil) {
				return nil
			}
		}
	}
	if !t.ended {
		return frontend.ErrUnfinished
	}
	return nil
}
