package reader

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/carrel-go/carrel/agent"
)

// Options configures [New]. Nil means the defaults.
type Options struct {
	// Pace is the pause before each word, so that a person sees the text arrive. Zero means 8 ms. A negative value
	// means that words are not delayed.
	Pace time.Duration
}

// Reader is the offline reader. It is immutable, stateless and safe for concurrent use.
type Reader struct{ pace time.Duration }

var _ agent.Model = (*Reader)(nil)

// New returns a Reader.
func New(o *Options) *Reader {
	r := &Reader{pace: 8 * time.Millisecond}
	if o != nil && o.Pace != 0 {
		r.pace = max(0, o.Pace)
	}
	return r
}

// answer is the next message: text, then calls. An answer without calls ends the run.
type answer struct {
	text  string
	calls []call
}

type call struct {
	tool string
	args map[string]any
}

// Stream implements [agent.Model]. It fails only if ctx ends, with the error of ctx. The reported usage counts words
// instead of tokens.
func (r *Reader) Stream(ctx context.Context, req *agent.Request) iter.Seq2[agent.Delta, error] {
	return func(yield func(agent.Delta, error) bool) {
		c := readConversation(req)
		a := c.next()
		for piece := range strings.SplitAfterSeq(a.text, " ") {
			if err := r.wait(ctx); err != nil {
				yield(nil, err)
				return
			}
			if piece != "" && !yield(agent.TextDelta{Text: piece}, nil) {
				return
			}
		}
		written, reason := countWords(a.text), agent.StopEndTurn
		for i, call := range a.calls {
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

// wait pauses for the pace or until ctx ends.
func (r *Reader) wait(ctx context.Context) error {
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

func countWords(s string) int64 { return int64(len(strings.Fields(s))) }
