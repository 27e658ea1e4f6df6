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
	offered map[string]bool // the tools that may be called
	calls   []done          // the calls since the prompt, in order
	known   book.Metadata   // set by set_field, in all runs
	read    bool            // an earlier run has read the cover and ended
	uses    int             // all calls so far, for unique ids
	words   int64           // in the request
}

// done is a call with its result, which is nil if it is missing.
type done struct {
	use    agent.ToolUse
	result *tools.Result
	turn   int // calls of one answer have the same
}

// readConversation returns the state of the current run, which begins with the user's last text. A failed run may have
// left its prompt, some calls, or nothing.
func readConversation(req *agent.Request) *conversation {
	c := &conversation{offered: make(map[string]bool), known: booktools.Draft(agent.Turn{Messages: req.Messages})}
	for _, t := range req.Tools {
		c.offered[t.Name] = true
	}
	c.words = words(req.System)
	results := make(map[string]*tools.Result)
	start, scanned := 0, false
	for i, m := range req.Messages {
		calls := false
		var said []string
		for _, p := range m.Parts {
			switch {
			case p.Use != nil:
				calls = true
				c.uses++
				c.words += words(string(p.Use.Input))
				scanned = scanned || p.Use.Name == booktools.ScanBarcode
			case p.Result != nil:
				results[p.Result.ID] = &p.Result.Result
				for _, b := range p.Result.Result.Blocks {
					c.words += words(b.Text) + words(string(b.JSON))
				}
			case strings.TrimSpace(p.Text) != "":
				said = append(said, p.Text)
				c.words += words(p.Text)
			}
		}
		switch {
		case m.Role == agent.RoleUser && len(said) > 0:
			c.prompt, start = strings.Join(said, "\n"), i
		case m.Role == agent.RoleAssistant && scanned && !calls:
			c.read = true // the run that scanned the cover has ended
		}
	}
	for i, m := range req.Messages {
		for _, p := range m.Parts {
			if p.Use == nil {
				continue
			}
			d := done{*p.Use, results[p.Use.ID], i}
			if i > start {
				c.calls = append(c.calls, d)
			}
		}
	}
	return c
}

// first returns the run's first call of a tool, or nil.
func (c *conversation) first(tool string) *done {
	for i := range c.calls {
		if c.calls[i].use.Name == tool {
			return &c.calls[i]
		}
	}
	return nil
}

// failures returns the number of latest turns in a row in which every call failed. An agent ends such a run.
func (c *conversation) failures() int {
	n, turn := 0, -1
	for _, d := range slices.Backward(c.calls) {
		if !d.failed() {
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

// arg returns an argument of the call, or "".
func (d done) arg(name string) string {
	var args map[string]any
	if json.Unmarshal(d.use.Input, &args) != nil {
		return ""
	}
	s, _ := args[name].(string)
	return s
}

// failed reports whether the call returned an error or no result.
func (d done) failed() bool { return d.result == nil || d.result.IsError }

// said returns the text of a result, for error messages.
func (d done) said() string {
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

// decode reads a result's first block as JSON, also if the block was converted to text.
func decode[T any](d *done) (T, bool) {
	var v T
	if d == nil || d.failed() {
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
