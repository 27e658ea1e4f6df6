package agent

import (
	"context"
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

// answer asks the model, in a conversation that the Compactor may have shortened. If the service refuses the request
// before an answer has begun because the conversation is too long, the model is asked again with a shorter one, until
// it fits or nothing is left to shorten. If it refuses the request for another reason, the media of earlier turns may
// be that reason, and the model is asked again without them.
//
// A shorter conversation takes the place of the longer one as soon as the service accepts it, and not if it never does:
// a prompt that can fit nowhere costs the history nothing.
func (r *run) answer(offered offer) (*answer, *RunError) {
	if failed := r.compactEarly(); failed != nil || r.left {
		return &answer{}, failed
	}
	r.turn++
	defer r.revert()
	kept := r.withoutMedia
	r.cuts = 0
	for range maxReliefs {
		ans, failed := r.ask(offered)
		if failed == nil || ans.began || r.left || r.ctx.Err() != nil {
			return ans, failed
		}
		again, worse := r.relieve(failed)
		switch {
		case worse != nil:
			return ans, worse
		case !again:
			r.withoutMedia = kept // it was not the media
			return ans, failed
		}
	}
	return r.ask(offered)
}

// relieve makes the next request easier to accept than the one that failed. It reports whether it could.
func (r *run) relieve(failed *RunError) (again bool, worse *RunError) {
	switch failed.Code {
	case ContextFull:
	case InvalidCall:
		return r.dropMedia(true), nil
	case AccessDenied:
		return r.dropMedia(false), nil
	default:
		return false, nil
	}
	turns, worse := r.compact(true)
	if worse != nil {
		return false, worse
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
	r.propose(turns)
	return true, nil
}

// isShorter reports whether a has fewer turns or tokens than b.
func isShorter(a, b []Turn) bool { return len(a) < len(b) || estimateAll(a) < estimateAll(b) }

// propose goes on with these turns, for as long as it is not known whether the service accepts them.
func (r *run) propose(turns []Turn) {
	if r.before == nil {
		r.before = r.turns
	}
	r.turns = slices.Clip(turns)
	r.tell()
}

// settle keeps the turns that were proposed, since the service has accepted them. It returns false if the consumer has
// left.
func (r *run) settle() bool {
	if r.before == nil {
		return true
	}
	r.before = nil
	r.turn-- // the answer has not been given yet
	defer func() { r.turn++ }()
	return r.emit(Compacted{Turns: r.turns}) && r.save(nil, nil)
}

// revert goes back to the turns before propose, unless they were settled.
func (r *run) revert() {
	if r.before != nil {
		r.turns, r.before = r.before, nil
		r.tell()
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
