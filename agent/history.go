package agent

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/carrel-go/carrel/internal/strictjson"
	"github.com/carrel-go/carrel/tools"
)

// History is a conversation so far. It is a value: a run receives one and returns a longer one, which shares the turns.
// Turns and State must not be changed once they are in a History: a run works on a copy of the State.
type History struct {
	Turns []Turn
	// State is the tools' memory of the conversation. It is nil if it is empty.
	State *tools.State
}

// Turn is one exchange with the model: the prompt, the model's answer, and the results of all calls in the answer. It
// never holds a call without its result. The first turn of a run begins with the prompt. The later ones begin with the
// model's answer to the results before. A turn without an answer ends with the prompt.
//
// A Turn is stored as JSON, see [Turn.MarshalJSON].
type Turn struct {
	Messages []Message `json:"messages"`
}

func isToolName(s string) bool {
	for _, c := range []byte(s) {
		if c != '_' && c != '-' && (c < '0' || '9' < c) && (c < 'A' || 'Z' < c) && (c < 'a' || 'z' < c) {
			return false
		}
	}
	return 0 < len(s) && len(s) <= 64
}

// check returns an error if h cannot be sent to a model.
func (h History) check() error {
	last := RoleAssistant
	for i, t := range h.Turns {
		if err := t.check(); err != nil {
			return fmt.Errorf("turn %d: %w", i, err)
		}
		if first := t.Messages[0].Role; first == RoleAssistant && last == RoleAssistant {
			return fmt.Errorf("turn %d: the assistant speaks first: a user message must come before it", i)
		}
		last = t.Messages[len(t.Messages)-1].Role
	}
	return nil
}

// eachPart yields the parts of the turns in order.
func eachPart(turns []Turn) iter.Seq[Part] {
	return func(yield func(Part) bool) {
		for _, t := range turns {
			for _, m := range t.Messages {
				for _, p := range m.Parts {
					if !yield(p) {
						return
					}
				}
			}
		}
	}
}

// check returns an error unless t is a whole turn.
func (t Turn) check() error {
	if len(t.Messages) == 0 {
		return errors.New("messages are missing")
	}
	var open []string // calls of the message before
	for i, m := range t.Messages {
		switch {
		case m.Role != RoleUser && m.Role != RoleAssistant:
			return fmt.Errorf("message %d: unknown role %q", i, m.Role)
		case i > 0 && m.Role == t.Messages[i-1].Role:
			return fmt.Errorf("message %d: two messages of the %s in a row", i, m.Role)
		case len(m.Parts) == 0:
			return fmt.Errorf("message %d: parts are missing", i)
		case m.isBlank():
			return fmt.Errorf("message %d: the text is blank, and other content is missing", i)
		}
		calls, unanswered, err := m.checkParts(open)
		if err != nil {
			return fmt.Errorf("message %d: %w", i, err)
		}
		if len(unanswered) > 0 {
			return fmt.Errorf("message %d: the call %q lacks a result", i-1, unanswered[0])
		}
		open = calls
	}
	if len(open) > 0 {
		return fmt.Errorf("message %d: the call %q lacks a result", len(t.Messages)-1, open[0])
	}
	return nil
}

// checkParts checks the parts of m, which follows a message with the calls in open. It returns the ids of the calls in
// m, and those of open without a result in m.
func (m Message) checkParts(open []string) (calls, unanswered []string, _ error) {
	for i, p := range m.Parts {
		if err := p.check(m.Role); err != nil {
			return nil, nil, fmt.Errorf("part %d: %w", i, err)
		}
		if p.Use != nil {
			if slices.Contains(calls, p.Use.ID) {
				return nil, nil, fmt.Errorf("part %d: two calls have the id %q", i, p.Use.ID)
			}
			calls = append(calls, p.Use.ID)
		}
		if p.Result == nil {
			continue
		}
		if i > 0 && m.Parts[i-1].Result == nil {
			return nil, nil, fmt.Errorf("part %d: results must come before other parts", i)
		}
		k := slices.Index(open, p.Result.ID)
		if k < 0 {
			return nil, nil, fmt.Errorf("part %d: the result %q does not match a call", i, p.Result.ID)
		}
		open = slices.Delete(open, k, k+1)
	}
	return calls, open, nil
}

// isBlank reports whether m only holds white space, which services reject or drop.
func (m Message) isBlank() bool {
	return !slices.ContainsFunc(m.Parts, func(p Part) bool {
		return p.kindName() != "text" || strings.TrimSpace(p.Text) != ""
	})
}

// check returns an error if p cannot be part of a message of this role.
func (p Part) check(r Role) error {
	kinds, owner := 0, r
	is := func(set bool, of Role) {
		if set {
			kinds, owner = kinds+1, of
		}
	}
	is(p.Text != "", r)
	is(p.Use != nil, RoleAssistant)
	is(p.Result != nil, RoleUser)
	is(p.Image != nil, RoleUser)
	is(p.Document != nil, RoleUser)
	is(p.Video != nil, RoleUser)
	is(p.Reasoning != nil, RoleAssistant)
	is(p.Citation != nil, RoleAssistant)
	if kinds != 1 {
		return errors.New("it must have exactly one of text, call, result, image, document, video, reasoning and citation")
	}
	if owner != r {
		return fmt.Errorf("%s in a message of the %s", p.kindName(), r)
	}
	switch {
	case p.Use != nil:
		return p.Use.check()
	case p.Result != nil:
		return p.Result.Check()
	case p.Image != nil, p.Document != nil, p.Video != nil:
		if err := (tools.Block{Image: p.Image, Document: p.Document, Video: p.Video}).Check(); err != nil {
			return fmt.Errorf("%s %w", p.kindName(), err)
		}
		return nil
	case p.Reasoning != nil:
		return p.Reasoning.check()
	case p.Citation != nil:
		return p.Citation.check()
	case !utf8.ValidString(p.Text):
		return errors.New("the text is not UTF-8")
	}
	return nil
}

// kindName returns the name of p's content, with its article.
func (p Part) kindName() string {
	switch {
	case p.Use != nil:
		return "a call"
	case p.Result != nil:
		return "a result"
	case p.Image != nil:
		return "an image"
	case p.Document != nil:
		return "a document"
	case p.Video != nil:
		return "a video"
	case p.Reasoning != nil:
		return "reasoning"
	case p.Citation != nil:
		return "a citation"
	}
	return "text"
}

func (r *Reasoning) check() error {
	switch {
	case len(r.Redacted) > 0 && (r.Text != "" || r.Signature != ""):
		return errors.New("the reasoning is both redacted and plain")
	case len(r.Redacted) == 0 && r.Text == "" && r.Signature == "":
		return errors.New("the reasoning is empty")
	case !utf8.ValidString(r.Text) || !utf8.ValidString(r.Signature) || !utf8.ValidString(r.Model):
		return errors.New("the reasoning is not UTF-8")
	}
	return nil
}

func (u *ToolUse) check() error {
	if err := checkCallID(u.ID); err != nil {
		return err
	}
	if !isToolName(u.Name) {
		return fmt.Errorf("the tool name %q does not match ^[a-zA-Z0-9_-]{1,64}$", u.Name)
	}
	if err := strictjson.CheckObject(u.Input); err != nil {
		return fmt.Errorf("the arguments of %s are %w", u.Name, err)
	}
	return nil
}
