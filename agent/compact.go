package agent

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
)

// Compactor shortens a conversation. It gets all turns before an answer is asked for, and gives those that are to be
// in their place: the same where nothing has to be done. full says that the conversation did not fit the model, so
// something has to be done if at all possible; it is called again, with what it gave, until the conversation fits or it
// makes it no shorter. The Usage is what it has cost itself.
//
// It may drop turns and put others before the rest, but never takes one apart: a turn holds its calls and their
// results, so between turns is where a conversation can be cut. The first message of what it gives is the user's, and
// so is the last one, unless the run's prompt follows: that is not among the turns until it has been answered. What it
// gives is checked as an [Input]'s History is, and takes the place of the turns for good: in the run, in a [Compacted]
// and in Done. The State is not touched. The slice that it gets is its own, the messages are not.
//
// It is called in the consumer's goroutine and is safe for concurrent use. An error or a panic ends the run; a
// [*ModelError] does so with its code.
type Compactor func(ctx context.Context, turns []Turn, full bool) ([]Turn, Usage, error)

// leftOut begins the note that stands in the place of turns that were dropped, and tells it from what a user says.
const leftOut = "The beginning of this conversation has been left out"

// DropOldest is a [Compactor] that drops the oldest turns as soon as the conversation has more than about this many
// tokens, until it has at most half as many, and puts two turns in their place: a note that they were left out, and
// what the user had said last in them, so that the model still knows what it is about. The last turn is never dropped.
//
// The count is an estimate: a token for each four bytes, 1,600 for an image and 3,000 for a document, whatever their
// size.
func DropOldest(tokens int) Compactor {
	return func(_ context.Context, turns []Turn, full bool) ([]Turn, Usage, error) {
		n := cut(turns, tokens, full)
		if n == 0 {
			return turns, Usage{}, nil
		}
		return replace(turns, n, leftOut+", because it had become too long."), Usage{}, nil
	}
}

// cut says how many turns to drop from the front: none where they have at most so many tokens, unless full, and none
// where nothing would be dropped but what an earlier cut has left.
func cut(turns []Turn, tokens int, full bool) int {
	size := make([]int, len(turns))
	all := 0
	for i, t := range turns {
		size[i] = estimate(t)
		all += size[i]
	}
	if all <= tokens && !full {
		return 0
	}
	n := 0
	for goal := min(tokens, all) / 2; all > goal && n < len(turns)-1; n++ {
		all -= size[n]
	}
	left := leftover(turns)
	if full { // the estimate may be far too low
		n = max(n, min(left+1, len(turns)-1))
	}
	if n <= left {
		return 0
	}
	return n
}

// leftover is how many turns at the front an earlier cut has put there.
func leftover(turns []Turn) int {
	alone := func(i int) bool { return i < len(turns) && len(turns[i].Messages) == 1 }
	if !alone(0) || !strings.HasPrefix(turns[0].Messages[0].Parts[0].Text, leftOut) {
		return 0
	}
	if !alone(1) {
		return 1
	}
	return 2
}

// replace puts words in the place of the first n turns, and what the user had said last in them.
func replace(turns []Turn, n int, words string) []Turn {
	short := []Turn{{Messages: []Message{{Role: RoleUser, Parts: []Part{{Text: words}}}}}}
	if parts := lastSaid(turns[:n]); len(parts) > 0 {
		short = append(short, Turn{Messages: []Message{{Role: RoleUser, Parts: parts}}})
	}
	return append(short, turns[n:]...)
}

// lastSaid is what the user said last in turns. Results are not said by anybody, and never in a turn's first message;
// what insist has said was not the user.
func lastSaid(turns []Turn) []Part {
	for _, t := range slices.Backward(turns) {
		if m := t.Messages[0]; m.Role == RoleUser && !isRequest(m.Parts[0].Text) {
			return m.Parts
		}
	}
	return nil
}

// estimateAll returns about how many tokens the turns have.
func estimateAll(turns []Turn) int {
	n := 0
	for _, t := range turns {
		n += estimate(t)
	}
	return n
}

// estimate is about how many tokens t has.
func estimate(t Turn) int {
	const image, document, video = 1600, 3000, 10_000
	bytes, tokens := 0, 0
	for _, m := range t.Messages {
		for _, p := range m.Parts {
			bytes += len(p.Text)
			switch {
			case p.Use != nil:
				bytes += len(p.Use.Name) + len(p.Use.Input)
			case p.Reasoning != nil:
				bytes += len(p.Reasoning.Text) + len(p.Reasoning.Signature) + len(p.Reasoning.Redacted)
			case p.Citation != nil: // a Model is sent the text alone
			case p.Image != nil:
				tokens += image
			case p.Document != nil:
				tokens += document
			case p.Video != nil:
				tokens += video
			case p.Result != nil:
				for _, b := range p.Result.Result.Blocks {
					bytes += len(b.Text) + len(b.JSON)
					if b.Image != nil {
						tokens += image
					}
					if b.Document != nil {
						tokens += document
					}
					if b.Video != nil {
						tokens += video
					}
				}
			}
		}
	}
	return tokens + (bytes+3)/4
}

// compactEarly shortens a conversation that has grown too long for the Compactor, before the model is asked.
func (r *run) compactEarly() error {
	turns, err := r.compact(false)
	if err != nil || turns == nil {
		return err
	}
	r.turns = slices.Clip(turns)
	r.resetMessages()
	return r.emitCompacted()
}

// emitCompacted yields the turns that have replaced all before, and their checkpoint.
func (r *run) emitCompacted() error {
	r.isCompacted = true
	if err := r.emit(Compacted{Turns: r.turns}); err != nil {
		return err
	}
	return r.emitCheckpoint(r.checkpoint(nil), nil)
}

// compact returns the turns with which the Compactor replaces the run's, or nil if they stay.
func (r *run) compact(full bool) ([]Turn, error) {
	if r.agent.compact == nil || len(r.turns) == 0 {
		return nil, nil
	}
	turns, usage, err := r.callCompactor(full)
	r.addUsage(usage)
	if err != nil {
		return nil, mapModelError(fmt.Errorf("agent: compact: %w", err))
	}
	if same(turns, r.turns) {
		return nil, nil
	}
	if err := r.checkCompacted(turns); err != nil {
		return nil, &RunError{Code: CodeInternal, Message: "The conversation could not be shortened.",
			Err: fmt.Errorf("agent: compact: %w", err)}
	}
	return turns, nil
}

// callCompactor calls the Compactor with a copy of the turns: they may still be the input's, and it may delete from its
// slice in place. It may ask a Model, so a panic is an error, as it is in a Model.
func (r *run) callCompactor(full bool) (turns []Turn, usage Usage, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("it panicked: %v\n%s", v, debug.Stack())
		}
	}()
	return r.agent.compact(r.ctx, slices.Clone(r.turns), full)
}

// checkCompacted returns an error if the run cannot go on with these turns.
func (r *run) checkCompacted(turns []Turn) error {
	if len(turns) == 0 {
		return errors.New("no turns are left")
	}
	if err := (History{Turns: turns}).check(); err != nil {
		return err
	}
	last := turns[len(turns)-1].Messages
	if r.prompt == nil && last[len(last)-1].Role != RoleUser {
		return errors.New("what the model was to answer is left out")
	}
	for _, t := range turns {
		for _, m := range t.Messages {
			if err := r.agent.checkHistory(r.ctx, r.in.reach(), m.Parts); err != nil {
				return err
			}
		}
	}
	return nil
}

// same reports whether a and b are the same turns, by identity: turns are immutable.
func same(a, b []Turn) bool {
	return slices.EqualFunc(a, b, func(a, b Turn) bool {
		return len(a.Messages) == len(b.Messages) && len(a.Messages) > 0 && &a.Messages[0] == &b.Messages[0]
	})
}
