package booktools

import (
	"bytes"
	"context"
	"strings"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/book"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/draft"
	"github.com/carrel-go/carrel/tools"
)

// IsTyped is part of the correction that set_field returns for a field that the librarian has typed. The pages
// recognise it.
const IsTyped = "the librarian has typed this field"

type messageKey struct{}

// NewContext returns a context for a run with the person's message, which may be empty. With it, set_field tells values
// that the message contains from found ones, and replaces a typed value if the message asks for it.
func NewContext(ctx context.Context, message string) context.Context {
	return context.WithValue(ctx, messageKey{}, message)
}

type fieldIn struct {
	Field string `json:"field" jsonschema:"one of: title, author, isbn, publisher, published_year, description, confidence"`
	Value string `json:"value" jsonschema:"the value as text: digits for isbn (with or without hyphens) and published_year, a number from 0 to 1 for confidence"`
}

func (b *toolbox) setField(ctx context.Context, c *tools.Call, in fieldIn) (fieldUpdate, error) {
	f := book.Field(in.Field)
	if !f.Valid() {
		return fieldUpdate{}, tools.Correct("field: must be one of " + strings.Join(fieldNames(), ", "))
	}
	u, err := f.Parse(in.Value)
	if err != nil {
		return fieldUpdate{}, tools.Correct("value: " + in.Field + " " + fieldReason(err))
	}
	out := fieldUpdate{draft.Update{Update: u}}
	message, _ := ctx.Value(messageKey{}).(string)
	isTold := draft.Says(message, u)
	if isTold {
		out.Source = draft.Told
	} else if out.Origin, err = findOrigin(c, u); err != nil {
		return fieldUpdate{}, err
	}
	if b.edits == nil {
		return out, nil
	}
	edit, isTyped, err := b.findEdit(ctx, c, f)
	switch {
	case err != nil:
		return fieldUpdate{}, err
	case !isTyped:
	case bytes.Equal(edit.Value, u.Value):
		out.Source, out.Origin = draft.Typed, ""
	case isTold, draft.Asks(message, f):
		return out, replaceEdit(c, f, edit)
	default:
		const keep = ", and this message does not ask to change it: keep it"
		return fieldUpdate{}, tools.Correct(in.Field + ": " + IsTyped + keep)
	}
	return out, nil
}

// replacedState is the name of draft.Findings.Replaced in the State of the conversation.
const replacedState = "booktools.replaced"

// findEdit returns the edit of a field that is in force.
func (b *toolbox) findEdit(ctx context.Context, c *tools.Call, f book.Field) (draft.Edit, bool, error) {
	var replaced map[book.Field]int64
	if _, err := c.State().Get(replacedState, &replaced); err != nil {
		return draft.Edit{}, false, err
	}
	edits, err := b.edits.Load(ctx, c.Scope())
	if err != nil {
		return draft.Edit{}, false, err
	}
	for field, edit := range edits.InForce(replaced) {
		if field == f {
			return edit, true, nil
		}
	}
	return draft.Edit{}, false, nil
}

// replaceEdit records that the agent has replaced an edit.
func replaceEdit(c *tools.Call, f book.Field, edit draft.Edit) error {
	var replaced map[book.Field]int64
	return c.State().Update(replacedState, &replaced, func() error {
		if replaced == nil {
			replaced = make(map[book.Field]int64)
		}
		replaced[f] = edit.Revision
		return nil
	})
}

// fieldUpdate adds a summary to a [draft.Update].
type fieldUpdate struct{ draft.Update }

// Summary implements [tools.Summarizer].
func (u fieldUpdate) Summary() string {
	text := u.Text()
	if r := []rune(text); len(r) > 80 {
		text = string(r[:79]) + "…"
	}
	return string(u.Field) + ": " + strings.ReplaceAll(text, "\n", " ")
}

func fieldNames() []string {
	var out []string
	for _, f := range book.Fields() {
		out = append(out, string(f))
	}
	return out
}
