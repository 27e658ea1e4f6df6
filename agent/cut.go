package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/carrel-go/carrel/tools"
)

const (
	// minCut is the size of the shortest text, result or arguments that are cut, in bytes. It is larger than each of the
	// notes below.
	minCut = 128
	// minShown is the size from which the beginning of a text or result is kept. A shorter one is left out.
	minShown = 256
	// cutNote is the room for the note at the end of a text that was cut.
	cutNote = 64

	omittedText   = "[Left out: the conversation has become too long.]"
	omittedResult = "[The result was left out: the conversation has become too long.]"
	omittedInput  = `{"note":"The arguments were left out: the conversation has become too long."}`
)

// cutTurns returns the turns with their longest texts, results and arguments cut to a total of about size bytes, or as
// few as possible. It reports whether anything was cut. Calls and results stay pairs, and JSON stays valid: arguments
// are not truncated but replaced.
func cutTurns(turns []Turn, size int) ([]Turn, bool) {
	var sizes []int
	for p := range eachPart(turns) {
		if n := countCuttable(p); n > 0 {
			sizes = append(sizes, n)
		}
	}
	if len(sizes) == 0 {
		return turns, false
	}
	limit := max(waterLevel(sizes, size), minCut)
	if sizes[len(sizes)-1] <= limit {
		return turns, false
	}
	turns = slices.Clone(turns)
	for i, t := range turns {
		turns[i] = t.cutTo(limit)
	}
	return turns, true
}

// waterLevel returns the largest limit for each size at which the sum of all is at most total, or the largest size if
// all fit. It sorts sizes, which must not be empty.
func waterLevel(sizes []int, total int) int {
	slices.Sort(sizes)
	for i, n := range sizes {
		rest := len(sizes) - i
		if n*rest > total {
			return total / rest
		}
		total -= n
	}
	return sizes[len(sizes)-1]
}

// measureTurns returns how many bytes of the turns can be cut.
func measureTurns(turns []Turn) int {
	n := 0
	for p := range eachPart(turns) {
		n += countCuttable(p)
	}
	return n
}

// countCuttable returns how many bytes of p can be cut.
func countCuttable(p Part) int {
	n := len(p.Text)
	if p.Use != nil {
		n += len(p.Use.Input)
	}
	if p.Result != nil {
		for _, b := range p.Result.Blocks {
			n += len(b.Text) + len(b.JSON)
		}
	}
	return n
}

// cutTo returns t with each text, result and arguments at most limit bytes long. limit must be at least minCut.
func (t Turn) cutTo(limit int) Turn {
	isLong := func(p Part) bool { return countCuttable(p) > limit }
	if !slices.ContainsFunc(t.Messages, func(m Message) bool { return slices.ContainsFunc(m.Parts, isLong) }) {
		return t
	}
	t.Messages = slices.Clone(t.Messages)
	for i, m := range t.Messages {
		m.Parts = slices.Clone(m.Parts)
		for j, p := range m.Parts {
			if isLong(p) {
				m.Parts[j] = p.cutTo(limit)
			}
		}
		t.Messages[i] = m
	}
	return t
}

// cutTo returns p, which is longer than limit, cut to it.
func (p Part) cutTo(limit int) Part {
	switch {
	case p.Use != nil:
		use := *p.Use
		use.Input = json.RawMessage(omittedInput)
		p.Use = &use
	case p.Result != nil:
		res := *p.Result
		res.Result = cutResult(res.Result, limit)
		p.Result = &res
	case limit < minShown:
		p.Text = omittedText
	default:
		p.Text = cutText(p.Text, limit-cutNote)
	}
	return p
}

// cutResult is [tools.Truncate] for an existing result. Below minShown it only keeps the media.
func cutResult(res tools.Result, limit int) tools.Result {
	if limit < minShown {
		blocks := []tools.Block{{Text: omittedResult}}
		for _, b := range res.Blocks {
			if b.Image != nil || b.Document != nil || b.Video != nil {
				blocks = append(blocks, b)
			}
		}
		res.Blocks = blocks
		return res
	}
	given := func(context.Context, *tools.Call) (tools.Result, error) { return res, nil }
	cut, _ := tools.Truncate(limit)(given)(context.Background(), nil) // the error is given's
	return cut
}

// cutText returns the beginning of s, and a note about the omission.
func cutText(s string, limit int) string {
	shown := strings.ToValidUTF8(s[:limit], "") // without an incomplete rune at its end
	return strings.TrimRight(shown, " \n") + fmt.Sprintf("…\n[Cut to fit: %d of %d bytes are shown.]", len(shown), len(s))
}
