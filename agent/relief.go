package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/carrel-go/carrel/tools"
)

const (
	// maxReliefs is how often the model is asked again for one answer, with less each time.
	maxReliefs = 16
	// minCut is the length of the shortest text or result that is cut, in bytes.
	minCut = 2 << 10
)

// ask asks the model, in a conversation that the Compactor may have shortened. If the service refuses the request
// before the answer has begun because the conversation is too long, ask shortens it and tries again, until it fits or
// nothing is left to shorten. If the service refuses the request for another reason, the media of earlier turns may be
// the reason, and ask tries again without them.
//
// A shortened conversation replaces the longer one when the service has accepted it. If it never does, as with a prompt
// that cannot fit, the history stays as it was. The answer is never nil.
func (r *run) ask(set toolset) (*answer, error) {
	if err := r.compactEarly(); err != nil {
		return &answer{}, err
	}
	r.turn++
	defer r.revertTurns()
	kept := r.withoutMedia
	r.cuts = 0
	for range maxReliefs {
		ans, err := r.send(set)
		if err == nil || ans.isVisible || errors.Is(err, errConsumerLeft) || r.ctx.Err() != nil {
			return ans, err
		}
		again, reliefErr := r.relieve(err)
		switch {
		case reliefErr != nil:
			return ans, reliefErr
		case !again:
			r.withoutMedia = kept // the media were not the reason
			return ans, err
		}
	}
	return r.send(set)
}

// relieve makes the next request easier to accept than the one that failed with cause. It reports whether it could.
func (r *run) relieve(cause error) (again bool, _ error) {
	failed, ok := errors.AsType[*RunError](cause)
	if !ok {
		return false, nil
	}
	switch failed.Code {
	case CodeContextFull:
	case CodeInvalidCall:
		return r.dropMedia(true), nil
	case CodeAccessDenied:
		return r.dropMedia(false), nil
	default:
		return false, nil
	}
	turns, err := r.compact(true)
	if err != nil {
		return false, err
	}
	if turns == nil || r.before != nil && !isShorter(turns, r.turns) { // the Compactor is at its end
		if turns == nil {
			turns = r.turns
		}
		var cut bool
		if turns, cut = cutLongest(turns, 2+2*min(r.cuts, 1)); !cut {
			return r.dropMedia(true), nil
		}
		r.cuts++
	}
	r.proposeTurns(turns)
	return true, nil
}

// isShorter reports whether a has fewer turns or tokens than b.
func isShorter(a, b []Turn) bool { return len(a) < len(b) || estimateAll(a) < estimateAll(b) }

// proposeTurns goes on with these turns until it is known whether the service accepts them.
func (r *run) proposeTurns(turns []Turn) {
	if r.before == nil {
		r.before = r.turns
	}
	r.turns = slices.Clip(turns)
	r.resetMessages()
}

// settleTurns keeps the turns that were proposed, because the service has accepted them.
func (r *run) settleTurns() error {
	if r.before == nil {
		return nil
	}
	r.before = nil
	r.turn-- // the checkpoint is of the moment before the answer
	defer func() { r.turn++ }()
	return r.emitCompacted()
}

// revertTurns goes back to the turns before proposeTurns, unless they were settled.
func (r *run) revertTurns() {
	if r.before != nil {
		r.turns, r.before = r.before, nil
		r.resetMessages()
	}
}

// cutLongest returns the turns with every text and every result cut that is longer than the given fraction of the
// longest one. It reports whether anything was cut. Calls and results stay pairs, and JSON stays JSON.
func cutLongest(turns []Turn, fraction int) ([]Turn, bool) {
	longest := 0
	for _, t := range turns {
		for _, m := range t.Messages {
			for _, p := range m.Parts {
				longest = max(longest, cuttable(p))
			}
		}
	}
	limit := max(longest/fraction, minCut)
	if longest <= limit {
		return turns, false
	}
	turns = slices.Clone(turns)
	for i, t := range turns {
		turns[i] = t.cut(limit)
	}
	return turns, true
}

// cut returns t with each text and result at most about limit bytes long; t itself if they are.
func (t Turn) cut(limit int) Turn {
	isLong := func(p Part) bool { return cuttable(p) > limit }
	if !slices.ContainsFunc(t.Messages, func(m Message) bool { return slices.ContainsFunc(m.Parts, isLong) }) {
		return t
	}
	t.Messages = slices.Clone(t.Messages)
	for i, m := range t.Messages {
		m.Parts = slices.Clone(m.Parts)
		for j, p := range m.Parts {
			switch {
			case !isLong(p):
			case p.Result != nil:
				r := *p.Result
				r.Result = cutResult(r.Result, limit)
				m.Parts[j].Result = &r
			default:
				m.Parts[j].Text = cutText(p.Text, limit)
			}
		}
		t.Messages[i] = m
	}
	return t
}

// cuttable returns how many bytes of p can be cut.
func cuttable(p Part) int {
	n := len(p.Text)
	if p.Result != nil {
		for _, b := range p.Result.Result.Blocks {
			n += len(b.Text) + len(b.JSON)
		}
	}
	return n
}

// cutResult is [tools.Truncate] for a result that is there already.
func cutResult(res tools.Result, limit int) tools.Result {
	given := func(context.Context, *tools.Call) (tools.Result, error) { return res, nil }
	cut, _ := tools.Truncate(limit)(given)(context.Background(), nil) // the error is given's
	return cut
}

// cutText returns the beginning of s, and a note about the rest.
func cutText(s string, limit int) string {
	n := limit
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return strings.TrimRight(s[:n], " \n") + fmt.Sprintf("…\n[Cut to fit: %d of %d bytes are shown.]", n, len(s))
}
