package agent

import (
	"context"
	"slices"
	"strings"
)

// Compactor shortens a conversation. It receives all turns before a request and returns the turns that replace them, or
// the same turns. If full is set, the conversation did not fit the model and must be shortened if possible. The
// Compactor is then called again, with the turns that it returned, until the conversation fits or does not become
// shorter. Usage is the cost of the requests that it made.
//
// It may drop turns and put others before the rest, but it must not split a turn, because a turn holds calls with their
// results. The first message that it returns must be the user's. If the run does not have an unanswered prompt, the
// last message must also be the user's. An unanswered prompt is not among the turns. The turns are checked like an
// [Input]'s History and replace the earlier ones in the run, in a [Compacted] and in Done. The State does not change.
// It may change the slice that it receives, but not the messages.
//
// It is called in the consumer's goroutine and must be safe for concurrent use. If it panics, or returns an error or
// invalid turns, the run continues without it: the conversation stays as it is while it fits the model, and otherwise
// [DropOldest] drops the older half. [Done].CompactErr is the error, and [Compacted].Fallback reports that turns were
// dropped.
type Compactor func(ctx context.Context, turns []Turn, full bool) ([]Turn, Usage, error)

// leftOut begins the note that replaces dropped turns, and distinguishes it from a user's message. It must not be
// reworded, because stored histories contain it. A user's message that begins in the same way is treated as a note: the
// next compaction drops it with the turns before.
const leftOut = "The beginning of this conversation has been left out"

// DropOldest is a [Compactor] that drops the oldest turns as soon as the conversation has more than about this many
// tokens, until it has at most half as many. Two turns replace them: a note that they were left out, and the user's
// last message in them, so that the model still knows the subject. The last turn is never dropped.
//
// The count is an estimate: a token for each four bytes, 1,600 for an image, 3,000 for a document and 10,000 for a
// video, whatever their size. If tokens is not positive, every conversation is too long: all turns but the last are
// dropped.
func DropOldest(tokens int) Compactor {
	return func(_ context.Context, turns []Turn, full bool) ([]Turn, Usage, error) {
		n := countDropped(turns, tokens, full)
		if n == 0 {
			return turns, Usage{}, nil
		}
		return replaceTurns(turns, n, leftOut+", because it had become too long."), Usage{}, nil
	}
}

// countDropped returns how many turns to drop from the front. It returns 0 if the turns have at most that many tokens
// and full is false, or if only the turns of an earlier compaction would be dropped.
func countDropped(turns []Turn, tokens int, full bool) int {
	size := make([]int, len(turns))
	all := 0
	for i, t := range turns {
		size[i] = estimateTokens(t)
		all += size[i]
	}
	if all <= tokens && !full {
		return 0
	}
	n := 0
	for goal := min(tokens, all) / 2; all > goal && n < len(turns)-1; n++ {
		all -= size[n]
	}
	left := countNotes(turns)
	if full { // the estimate may be far too low
		n = max(n, min(left+1, len(turns)-1))
	}
	if n <= left {
		return 0
	}
	return n
}

// countNotes returns the number of turns at the front that an earlier compaction inserted.
func countNotes(turns []Turn) int {
	alone := func(i int) bool { return i < len(turns) && len(turns[i].Messages) == 1 }
	if !alone(0) || !strings.HasPrefix(turns[0].Messages[0].Parts[0].Text, leftOut) {
		return 0
	}
	if !alone(1) {
		return 1
	}
	return 2
}

// replaceTurns replaces the first n turns with a note and the user's last message in them.
func replaceTurns(turns []Turn, n int, note string) []Turn {
	short := []Turn{{Messages: []Message{{Role: RoleUser, Parts: []Part{{Text: note}}}}}}
	if parts := lastPrompt(turns[:n]); len(parts) > 0 {
		short = append(short, Turn{Messages: []Message{{Role: RoleUser, Parts: parts}}})
	}
	return append(short, turns[n:]...)
}

// lastPrompt returns the user's last message in turns. It ignores the agent's requests for a typed answer. Results are
// never in a turn's first message.
func lastPrompt(turns []Turn) []Part {
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
		n += estimateTokens(t)
	}
	return n
}

// estimateTokens returns about how many tokens t has.
func estimateTokens(t Turn) int {
	perMedium := [mediaKinds]int{anImage: 1600, aDocument: 3000, aVideo: 10_000}
	bytes, tokens := 0, 0
	for p := range eachPart([]Turn{t}) {
		bytes += countCuttable(p)
		if p.Use != nil {
			bytes += len(p.Use.Name)
		}
		if g := p.Reasoning; g != nil {
			bytes += len(g.Text) + len(g.Signature) + len(g.Redacted)
		}
	}
	for _, msg := range t.Messages {
		for m := range eachMedium(msg.Parts) {
			tokens += perMedium[m.kind]
		}
	}
	return tokens + (bytes+3)/4
}
