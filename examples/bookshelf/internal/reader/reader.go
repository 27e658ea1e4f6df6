package reader

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/librarytools"
)

// Prompt is the default prompt. The reader then reads the cover, even if it has read it before.
const Prompt = "Read the cover and fill in the book's metadata."

// Options configures [New]. Nil means the defaults.
type Options struct {
	// Pace is the pause before each word, so that a person sees the text arrive. Zero means 12 ms. A negative value
	// means no pause.
	Pace time.Duration
}

// Reader is the offline reader. It is immutable, stateless and safe for concurrent use.
type Reader struct{ pace time.Duration }

var _ agent.Model = (*Reader)(nil)

// New returns a Reader.
func New(o *Options) *Reader {
	r := &Reader{pace: 12 * time.Millisecond}
	if o != nil && o.Pace != 0 {
		r.pace = max(0, o.Pace)
	}
	return r
}

// Stream implements [agent.Model]. It fails only if ctx ends, with the error of ctx. The reported usage counts words
// instead of tokens.
func (r *Reader) Stream(ctx context.Context, req *agent.Request) iter.Seq2[agent.Delta, error] {
	return func(yield func(agent.Delta, error) bool) {
		c := readConversation(req)
		t := c.nextTurn()
		if c.offered[librarytools.ListBooks] {
			t = newChat(c, req).nextTurn()
		}

		for delta := range t.words() {
			if err := r.waitPace(ctx); err != nil {
				yield(nil, err)
				return
			}
			if !yield(delta, nil) {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(nil, err)
			return
		}
		written := countWords(t.thought) + countWords(t.text)
		reason := agent.StopEndTurn
		for i, call := range t.calls {
			input, err := json.Marshal(call.args)
			if err != nil {
				yield(nil, fmt.Errorf("reader: encode the call of %s: %w", call.tool, err))
				return
			}
			written += countWords(string(input))
			reason = agent.StopToolUse
			use := agent.ToolUse{ID: fmt.Sprintf("call-%d", c.uses+i+1), Name: call.tool, Input: input}
			if !yield(agent.UsePart{ToolUse: use}, nil) {
				return
			}
		}
		if !yield(agent.UsageReport{Usage: agent.Usage{Input: c.words, Output: written}}, nil) {
			return
		}
		yield(agent.StopPart{Reason: reason}, nil)
	}
}

// signature is that of the reader's thoughts, since services sign theirs.
const signature = "offline-reader"

// words yields the thought and the text in pieces.
func (t *turn) words() iter.Seq[agent.Delta] {
	return func(yield func(agent.Delta) bool) {
		for _, piece := range splitPieces(t.thought) {
			if !yield(agent.ReasoningDelta{Text: piece}) {
				return
			}
		}
		if t.thought != "" && !yield(agent.ReasoningPart{Reasoning: agent.Reasoning{Text: t.thought, Signature: signature}}) {
			return
		}
		for _, piece := range splitPieces(t.text) {
			if !yield(agent.TextDelta{Text: piece}) {
				return
			}
		}
	}
}

// waitPace pauses for the pace or until ctx ends.
func (r *Reader) waitPace(ctx context.Context) error {
	if r.pace == 0 {
		return ctx.Err()
	}
	t := time.NewTimer(r.pace)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// splitPieces splits text after each space.
func splitPieces(text string) []string {
	if text == "" {
		return nil
	}
	p := strings.SplitAfter(text, " ")
	if p[len(p)-1] == "" {
		p = p[:len(p)-1]
	}
	return p
}

func countWords(s string) int64 { return int64(len(strings.Fields(s))) }
