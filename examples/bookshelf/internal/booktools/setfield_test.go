package booktools_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/book"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/booktools"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/draft"
	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tools"
)

// typing is a session in which a person has typed title and author, and cleared nothing.
type typing struct {
	*toolBench
	edits *draft.Store
	state *tools.State
}

func newTyping(t *testing.T) *typing {
	t.Helper()
	edits := must.Get(draft.NewStore(must.Get(table.New(table.NewMemory(nil), nil))))
	y := &typing{newToolBench(t, &booktools.Options{Edits: edits}), edits, &tools.State{}}
	y.save(`{"title":"Emma, a novel","author":"J. Austen"}`, draft.Findings{})
	return y
}

// save stores what the person's card shows.
func (y *typing) save(card string, found draft.Findings) {
	y.t.Helper()
	before, err := y.edits.Load(y.t.Context(), y.session)
	require.NoError(y.t, err)
	require.NoError(y.t, y.edits.Save(y.t.Context(), y.session, before.Edit(found, must.Get(book.Decode([]byte(card))), nil)))
}

// set calls set_field in a run with this message.
func (y *typing) set(message, field, value string) (draft.Update, error) {
	y.t.Helper()
	tool, ok := y.toolBench.set.Lookup(booktools.SetField)
	require.True(y.t, ok)
	args, err := json.Marshal(map[string]string{"field": field, "value": value})
	require.NoError(y.t, err)
	r, err := tool.Call(booktools.NewContext(y.t.Context(), message), tools.NewCall(tools.CallOptions{
		Scope: y.session, ID: "c", Name: booktools.SetField, Args: args, State: y.state,
	}))
	if err != nil {
		return draft.Update{}, err
	}
	u, ok := booktools.ReadUpdate(booktools.SetField, r)
	require.True(y.t, ok)
	return u, nil
}

func TestSetFieldKeepsWhatAPersonHasTyped(t *testing.T) {
	t.Parallel()
	y := newTyping(t)
	for _, message := range []string{"", "Read the cover again.", "The author is wrong."} {
		_, err := y.set(message, "title", "Emma")
		correction := new(tools.CorrectionError)
		require.ErrorAs(t, err, &correction, message)
		require.Contains(t, correction.Message, "the librarian has typed this field")
	}
	u, err := y.set("", "publisher", "John Murray")
	require.NoError(t, err)
	require.Empty(t, u.Source)
	u, err = y.set("", "title", "Emma, a novel")
	require.NoError(t, err)
	require.Equal(t, draft.Typed, u.Source, "the same value")

	prompt, err := booktools.SystemPrompt(y.edits)(t.Context(), agent.Input{Scope: y.session})
	require.NoError(t, err)
	require.Contains(t, prompt, booktools.System)
	require.Contains(t, prompt, `{"author":"J. Austen","title":"Emma, a novel"}`)
	prompt, err = booktools.SystemPrompt(y.edits)(t.Context(), agent.Input{Scope: newToolBench(t, nil).session})
	require.NoError(t, err)
	require.Equal(t, booktools.System, prompt)
}

func TestSetFieldReplacesWhatThePersonAsksFor(t *testing.T) {
	t.Parallel()
	y := newTyping(t)
	u, err := y.set("Please correct the title", "title", "Emma")
	require.NoError(t, err)
	require.Empty(t, u.Source)
	u, err = y.set("It is by Jane Austen", "author", "Jane Austen")
	require.NoError(t, err)
	require.Equal(t, draft.Told, u.Source)
	for _, field := range []string{"title", "author"} {
		_, err = y.set("", field, "Emma and Jane")
		require.NoError(t, err, "%s is the agent's now", field)
	}
	found, err := booktools.Findings(agent.History{State: y.state})
	require.NoError(t, err)
	require.Equal(t, map[book.Field]int64{book.Title: 1, book.Author: 1}, found.Replaced)
	found.Updates = []draft.Update{u}

	y.save(`{"title":"Emma, my edition","author":"Jane Austen"}`, found)
	_, err = y.set("", "title", "Emma")
	require.ErrorAs(t, err, new(*tools.CorrectionError), "it is typed again")
	_, err = y.set("", "author", "J. A.")
	require.NoError(t, err)
}
