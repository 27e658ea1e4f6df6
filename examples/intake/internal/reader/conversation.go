package reader

import (
	"encoding/json"
	"regexp"
	"strings"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/examples/intake/internal/intaketools"
	"github.com/carrel-go/carrel/tools"
)

// conversation is the state of the current run, which begins with the last text of the user.
type conversation struct {
	prompt  string
	calls   []made
	isFirst bool // nothing was answered before
	uses    int
	words   int64
	// rejected is the note about a call of the run whose arguments were not an object.
	rejected string
}

// rejectedCall matches the note with which an agent answers a call that it could not make. It is not a message of the
// user.
var rejectedCall = regexp.MustCompile(`^Call \d+ of your answer, of .+, was not run: `)

// made is a call of the run and its result. A missing result is nil.
type made struct {
	use    agent.ToolUse
	result *tools.Result
}

func readConversation(req *agent.Request) *conversation {
	c := &conversation{words: countWords(req.System), isFirst: true}
	results := map[string]*tools.Result{}
	start := 0
	for i, m := range req.Messages {
		for _, p := range m.Parts {
			switch {
			case p.Use != nil:
				c.uses++
				c.words += countWords(string(p.Use.Input))
			case p.Result != nil:
				results[p.Result.ID] = &p.Result.Result
				for _, b := range p.Result.Blocks {
					c.words += countWords(b.Text) + countWords(string(b.JSON))
				}
			case m.Role == agent.RoleUser && rejectedCall.MatchString(p.Text):
				c.rejected = p.Text
			case m.Role == agent.RoleUser && strings.TrimSpace(p.Text) != "":
				c.prompt, c.rejected, start = p.Text, "", i
			}
			c.words += countWords(p.Text)
		}
	}
	for i, m := range req.Messages {
		for _, p := range m.Parts {
			if m.Role == agent.RoleAssistant && (i < start || p.Use != nil) {
				c.isFirst = false
			}
			if p.Use != nil && i > start {
				c.calls = append(c.calls, made{*p.Use, results[p.Use.ID]})
			}
		}
	}
	return c
}

// find returns the run's calls of a tool.
func (c *conversation) find(tool string) (list []made) {
	for _, m := range c.calls {
		if m.use.Name == tool {
			list = append(list, m)
		}
	}
	return list
}

// first returns the run's first call of a tool, or nil.
func (c *conversation) first(tool string) *made {
	if list := c.find(tool); len(list) > 0 {
		return &list[0]
	}
	return nil
}

func (m *made) hasFailed() bool { return m == nil || m.result == nil || m.result.IsError }

// problem returns the text of a failed result as a part of a sentence for a person.
func (c *conversation) problem(m *made) string { return c.tellPerson(m.problem()) }

func (m *made) problem() string {
	if m != nil && m.result != nil {
		for _, b := range m.result.Blocks {
			if s := strings.TrimSpace(b.Text); s != "" {
				return strings.TrimRight(strings.Join(strings.Fields(s), " "), ".")
			}
		}
	}
	return "the tool did not answer"
}

// tellPerson returns a text of a tool with the names of files in place of their handles, and without hints for a model.
func (c *conversation) tellPerson(text string) string {
	names := map[string]string{}
	for _, m := range c.find(intaketools.ListFiles) {
		list, _ := decode[intaketools.Files](&m)
		for _, f := range list.Files {
			names[f.File] = f.Name
		}
	}
	return intaketools.ForPerson(text, names)
}

// decode returns the first block of a successful result.
func decode[T any](m *made) (v T, ok bool) {
	if m.hasFailed() || len(m.result.Blocks) == 0 {
		return v, false
	}
	raw := m.result.Blocks[0].JSON
	if raw == nil {
		raw = json.RawMessage(m.result.Blocks[0].Text)
	}
	return v, json.Unmarshal(raw, &v) == nil
}

// introduction names the reader in the first answer of a conversation.
func (c *conversation) introduction() string {
	if !c.isFirst {
		return ""
	}
	return "I am intake's offline reader: a program that follows fixed steps, not a language model. "
}

// next returns the next answer. Each answer makes new calls or ends the run.
func (c *conversation) next() answer {
	if c.rejected != "" {
		return answer{text: "I made a call that could not be run, so I cannot answer. This is a defect of the reader."}
	}
	if id, ok := intaketools.ParseTakeIn(c.prompt); ok {
		return c.takeIn(id)
	}
	return c.reply()
}
