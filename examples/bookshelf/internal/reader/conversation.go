package reader

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/book"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/booktools"
	"github.com/carrel-go/carrel/tools"
)

// conversation is the state read from a request.
type conversation struct {
	prompt  string          // the person's last message
	start   int             // its index
	offered map[string]bool // the tools that may be called
	calls   []toolCall      // the calls since the prompt, in order
	known   book.Metadata   // the fields that set_field has set in all runs
	isRead  bool            // an earlier run has read the cover and ended
	uses    int             // the number of all calls, for unique ids
	words   int64           // the number of words in the request
}

// toolCall is a call and its result. A missing result is nil.
type toolCall struct {
	use    agent.ToolUse
	result *tools.Result
	turn   int // the index of the message; calls of one answer have the same
}

// readConversation returns the state of the current run, which begins with the user's last text. A failed run may have
// left its prompt, some calls, or nothing.
func readConversation(req *agent.Request) *conversation {
	c := &conversation{offered: make(map[string]bool), known: booktools.Draft(agent.Turn{Messages: req.Messages})}
	for _, t := range req.Tools {
		c.offered[t.Name] = true
	}
	c.words = countWords(req.System)
	results := make(map[string]*tools.Result)
	scanned := false
	for i, m := range req.Messages {
		calls := false
		var texts []string
		for _, p := range m.Parts {
			switch {
			case p.Use != nil:
				calls = true
				c.uses++
				c.words += countWords(string(p.Use.Input))
				scanned = scanned || p.Use.Name == booktools.ScanBarcode
			case p.Result != nil:
				results[p.Result.ID] = &p.Result.Result
				for _, b := range p.Result.Blocks {
					c.words += countWords(b.Text) + countWords(string(b.JSON))
				}
			case strings.TrimSpace(p.Text) != "":
				texts = append(texts, p.Text)
				c.words += countWords(p.Text)
			}
		}
		switch {
		case m.Role == agent.RoleUser && len(texts) > 0:
			c.prompt, c.start = strings.Join(texts, "\n"), i
		case m.Role == agent.RoleAssistant && scanned && !calls:
			c.isRead = true // the run that scanned the cover has ended
		}
	}
	for i, m := range req.Messages {
		for _, p := range m.Parts {
			if p.Use != nil && i > c.start {
				c.calls = append(c.calls, toolCall{*p.Use, results[p.Use.ID], i})
			}
		}
	}
	return c
}

// firstCall returns the run's first call of a tool, or nil.
func (c *conversation) firstCall(tool string) *toolCall {
	for i := range c.calls {
		if c.calls[i].use.Name == tool {
			return &c.calls[i]
		}
	}
	return nil
}

// countFailures returns the number of turns at the end of the run in which every call failed. An agent ends a run with
// several of them.
func (c *conversation) countFailures() int {
	n, turn := 0, -1
	for _, d := range slices.Backward(c.calls) {
		if !d.hasFailed() {
			if d.turn == turn {
				n-- // another call of that turn succeeded
			}
			break
		}
		if d.turn != turn {
			n, turn = n+1, d.turn
		}
	}
	return n
}

// stringArg returns a string argument of the call, or "".
func (d toolCall) stringArg(name string) string {
	var args map[string]any
	if json.Unmarshal(d.use.Input, &args) != nil {
		return ""
	}
	s, _ := args[name].(string)
	return s
}

// hasFailed reports whether the call returned an error or no result.
func (d toolCall) hasFailed() bool { return d.result == nil || d.result.IsError }

// errorText returns the text of a failed result.
func (d toolCall) errorText() string {
	if d.result == nil {
		return "there was no answer"
	}
	for _, b := range d.result.Blocks {
		if s := strings.TrimSpace(b.Text); s != "" {
			return strings.TrimRight(strings.Join(strings.Fields(s), " "), ".")
		}
	}
	return "the tool failed"
}

// decodeResult decodes the first block of a successful result as JSON. The block may be JSON or text.
func decodeResult[T any](d *toolCall) (T, bool) {
	var v T
	if d == nil || d.hasFailed() {
		return v, false
	}
	if len(d.result.Blocks) == 0 {
		return v, false
	}
	raw := d.result.Blocks[0].JSON
	if raw == nil {
		raw = json.RawMessage(d.result.Blocks[0].Text)
	}
	return v, json.Unmarshal(raw, &v) == nil
}
