package draft_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/book"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/draft"
	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

func update(f book.Field, value string, s draft.Source) draft.Update {
	return draft.Update{Update: book.Update{Field: f, Value: []byte(value)}, Source: s}
}

func decode(t *testing.T, json string) book.Metadata {
	t.Helper()
	m, err := book.Decode([]byte(json))
	require.NoError(t, err)
	return m
}

// requireDraft compares the metadata, and the sources as "field source".
func requireDraft(t *testing.T, d draft.Draft, metadata string, sources ...string) {
	t.Helper()
	require.JSONEq(t, metadata, string(d.Metadata.Canonical()))
	var got []string
	for _, f := range slices.Sorted(maps.Keys(d.Sources)) {
		got = append(got, fmt.Sprint(f, " ", d.Sources[f]))
	}
	require.Equal(t, sources, got)
}

func TestAPersonsEditsStayUntilTheAgentReplacesThem(t *testing.T) {
	t.Parallel()
	found := draft.Findings{Updates: []draft.Update{
		update(book.Title, `"Emma"`, ""), update(book.Author, `"J. Austen"`, draft.Told), update(book.Publisher, `"Dover"`, ""),
	}}
	requireDraft(t, draft.Merge(found, draft.Edits{}), `{"title":"Emma","author":"J. Austen","publisher":"Dover"}`,
		"author told", "publisher found", "title found")

	edits := draft.Edits{}.Edit(found, decode(t, `{"title":"Emma, a novel","author":"J. Austen","isbn":"080442957X"}`), nil)
	requireDraft(t, draft.Merge(found, edits), `{"title":"Emma, a novel","author":"J. Austen","isbn":"080442957X"}`,
		"author told", "isbn typed", "publisher typed", "title typed")

	found.Updates = append(found.Updates, update(book.Title, `"EMMA"`, ""), update(book.Author, `"Jane Austen"`, ""))
	requireDraft(t, draft.Merge(found, edits), `{"title":"Emma, a novel","author":"Jane Austen","isbn":"080442957X"}`,
		"author found", "isbn typed", "publisher typed", "title typed")

	found.Replaced = map[book.Field]int64{book.Title: edits.Revision()}
	requireDraft(t, draft.Merge(found, edits), `{"title":"EMMA","author":"Jane Austen","isbn":"080442957X"}`,
		"author found", "isbn typed", "publisher typed", "title found")

	again := edits.Edit(found, decode(t, `{"title":"Emma (1815)","author":"Jane Austen","isbn":"080442957X"}`), nil)
	requireDraft(t, draft.Merge(found, again), `{"title":"Emma (1815)","author":"Jane Austen","isbn":"080442957X"}`,
		"author found", "isbn typed", "publisher typed", "title typed")
}

func TestAFieldIsTypedOnlyWhileItDiffersFromTheAgents(t *testing.T) {
	t.Parallel()
	found := draft.Findings{Updates: []draft.Update{update(book.Title, `"Emma"`, ""), update(book.PublishedYear, `1815`, "")}}
	same := draft.Edits{}.Edit(found, decode(t, `{"title":"Emma","published_year":"1815"}`), nil)
	require.Zero(t, same.Revision(), "nothing has changed")
	typed := draft.Edits{}.Edit(found, decode(t, `{"title":"Emma","published_year":1816}`), nil)
	requireDraft(t, draft.Merge(found, typed), `{"title":"Emma","published_year":1816}`, "published_year typed", "title found")
	back := typed.Edit(found, decode(t, `{"title":"Emma","published_year":1815}`), nil)
	requireDraft(t, draft.Merge(found, back), `{"title":"Emma","published_year":1815}`, "published_year found", "title found")

	// The agent sets the value that the person has typed, which stays theirs.
	found.Updates = append(found.Updates, update(book.PublishedYear, `1816`, draft.Typed))
	kept := typed.Edit(found, decode(t, `{"title":"Emma","published_year":1816}`), nil)
	requireDraft(t, draft.Merge(found, kept), `{"title":"Emma","published_year":1816}`, "published_year typed", "title found")
}

func TestTheOriginIsThatOfTheValueOnTheCard(t *testing.T) {
	t.Parallel()
	from := func(f book.Field, value, origin string, s draft.Source) draft.Update {
		u := update(f, value, s)
		u.Origin = origin
		return u
	}
	found := draft.Findings{Updates: []draft.Update{
		from(book.Title, `"Emma"`, "Open Library", ""), from(book.Author, `"Jane Austen"`, "Open Library", ""),
		from(book.Publisher, `"Dover"`, "Open Library", draft.Told), from(book.ISBN, `"080442957X"`, "Open Library", ""),
		from(book.PublishedYear, `1815`, "Open Library", ""), from(book.PublishedYear, `1816`, "", ""),
		from(book.ISBN, `null`, "", ""),
	}}
	all := map[book.Field]string{book.Title: "Open Library", book.Author: "Open Library"}
	require.Equal(t, all, draft.Merge(found, draft.Edits{}).Origins)
	edits := draft.Edits{}.Edit(found, decode(t, `{"title":"Emma","author":"J. Austen","publisher":"Dover","published_year":1816}`), nil)
	require.Equal(t, map[book.Field]string{book.Title: "Open Library"}, draft.Merge(found, edits).Origins)
}

func TestMergeIgnoresInvalidUpdates(t *testing.T) {
	t.Parallel()
	found := draft.Findings{Updates: []draft.Update{
		update(book.Title, `"Emma"`, ""), update(book.Title, `7`, ""), update("pages", `7`, ""),
		update(book.Author, `"J"`, ""), update(book.Author, `null`, ""),
	}}
	requireDraft(t, draft.Merge(found, draft.Edits{}), `{"title":"Emma"}`, "title found")
}

func newSession(t *testing.T) scope.Scope {
	t.Helper()
	user := must.Get(must.Get(scope.Tenant("acme")).User("ann"))
	return must.Get(user.NewSession())
}

func TestStoreKeepsTheNewestEditsOfASession(t *testing.T) {
	t.Parallel()
	tb := must.Get(table.New(table.NewMemory(nil), nil))
	store := must.Get(draft.NewStore(tb))
	ctx, session := context.Background(), newSession(t)
	none := must.Get(store.Load(ctx, session))
	require.Zero(t, none.Revision())
	require.NoError(t, store.Save(ctx, session, none.Edit(draft.Findings{}, decode(t, `{"title":"Emma","confidence":0.5}`), nil)))
	require.ErrorIs(t, store.Save(ctx, session, none.Edit(draft.Findings{}, decode(t, `{"title":"x"}`), nil)), draft.ErrChanged)

	first := must.Get(must.Get(draft.NewStore(tb)).Load(ctx, session)) // another process
	requireDraft(t, draft.Merge(draft.Findings{}, first), `{"title":"Emma","confidence":0.5}`, "confidence typed", "title typed")
	require.NoError(t, store.Save(ctx, session, first.Edit(draft.Findings{}, decode(t, `{"title":"Emma"}`), nil)))
	require.ErrorIs(t, store.Save(ctx, session, first.Edit(draft.Findings{}, decode(t, `{"title":"x"}`), nil)), draft.ErrChanged)
	requireDraft(t, draft.Merge(draft.Findings{}, must.Get(store.Load(ctx, session))), `{"title":"Emma"}`, "title typed")
	require.Zero(t, must.Get(store.Load(ctx, newSession(t))).Revision(), "another session")

	require.NoError(t, store.Delete(ctx, session))
	require.NoError(t, store.Delete(ctx, session))
	require.Zero(t, must.Get(store.Load(ctx, session)).Revision())
	_, err := store.Load(ctx, scope.Scope{})
	require.ErrorIs(t, err, scope.ErrDenied)
	_, err = draft.NewStore(nil)
	require.Error(t, err)
}

func TestStoreRejectsItemsOfOthers(t *testing.T) {
	t.Parallel()
	for name, attr := range map[string]map[string]table.Value{
		"nothing":          {},
		"no JSON":          {"revision": int64(1), "fields": "x"},
		"an unknown field": {"revision": int64(1), "fields": `{"pages":{"value":7,"revision":1}}`},
		"an invalid value": {"revision": int64(1), "fields": `{"published_year":{"value":"x","revision":1}}`},
		"a later revision": {"revision": int64(1), "fields": `{"title":{"value":"x","revision":2}}`},
		"no revision":      {"fields": `{"title":{"value":"x","revision":1}}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tb := must.Get(table.New(table.NewMemory(nil), nil))
			session := newSession(t)
			_, err := must.Get(tb.In(session)).Put(t.Context(), table.Item{Sort: "draft", Attr: attr}, table.Absent())
			require.NoError(t, err)
			_, err = must.Get(draft.NewStore(tb)).Load(t.Context(), session)
			require.ErrorContains(t, err, `the item "draft" was not written by this package`)
		})
	}
}

func TestAsksRecognisesTheNamesOfFields(t *testing.T) {
	t.Parallel()
	for message, fields := range map[string][]book.Field{
		"":                                   nil,
		"Read the cover again.":              nil,
		"Update it, please":                  nil,
		"The TITLE is wrong":                 {book.Title},
		"who is the writer?":                 {book.Author},
		"It was published in 1999":           {book.PublishedYear},
		"fix the year and the publisher":     {book.Publisher, book.PublishedYear},
		"Everything is wrong":                book.Fields(),
		"Please fill in all the fields anew": book.Fields(),
	} {
		var got []book.Field
		for _, f := range book.Fields() {
			if draft.Asks(message, f) {
				got = append(got, f)
			}
		}
		require.Equal(t, fields, got, message)
	}
}

func TestSaysRecognisesValues(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		message string
		field   book.Field
		value   string
		says    bool
	}{
		{"Geschrieben von jane  austen!", book.Author, `"Jane Austen"`, true},
		{"Geschrieben von Austen, Jane", book.Author, `"Jane Austen"`, false},
		{"O’Brien wrote it", book.Author, `"O'Brien"`, true},
		{"from 1999", book.PublishedYear, `1999`, true},
		{"from 11999", book.PublishedYear, `1999`, false},
		{"the isbn is 978-0-486-28473-6", book.ISBN, `"9780486284736"`, true},
		{"the isbn is 0 8044 2957 x", book.ISBN, `"080442957X"`, true},
		{"", book.Title, `"Emma"`, false},
		{"…", book.Title, `"?"`, false},
		{"題名は吾輩は猫である", book.Title, `"吾輩は猫である"`, false},
		{"題名は「吾輩は猫である」", book.Title, `"吾輩は猫である"`, true},
	} {
		u := book.Update{Field: c.field, Value: []byte(c.value)}
		require.Equal(t, c.says, draft.Says(c.message, u), "%s: %s", c.message, c.value)
	}
}

// Invalid text of a person is kept, in force and protected like a value.
func TestATextThatIsNotAValueYet(t *testing.T) {
	t.Parallel()
	found := draft.Findings{Updates: []draft.Update{update(book.Title, `"Emma"`, ""), update(book.PublishedYear, `1815`, "")}}
	card := decode(t, `{"title":"Emma"}`)
	edits := draft.Edits{}.Edit(found, card, map[book.Field]string{book.PublishedYear: "18l5", book.ISBN: "978-0"})
	d := draft.Merge(found, edits)
	requireDraft(t, d, `{"title":"Emma"}`, "isbn typed", "published_year typed", "title found")
	require.Equal(t, map[book.Field]string{book.PublishedYear: "18l5", book.ISBN: "978-0"}, d.Texts)
	again := edits.Edit(found, card, d.Texts)
	require.Equal(t, edits.Revision(), again.Revision(), "nothing has changed")

	fixed := edits.Edit(found, decode(t, `{"title":"Emma","published_year":1816}`), map[book.Field]string{book.ISBN: "978-01"})
	requireDraft(t, draft.Merge(found, fixed), `{"title":"Emma","published_year":1816}`,
		"isbn typed", "published_year typed", "title found")
	require.Equal(t, map[book.Field]string{book.ISBN: "978-01"}, draft.Merge(found, fixed).Texts)
	found.Replaced = map[book.Field]int64{book.ISBN: fixed.Revision()}
	require.Empty(t, draft.Merge(found, fixed).Texts, "the agent was asked for it")
	back := edits.Edit(found, decode(t, `{"title":"Emma","published_year":1815}`), nil)
	requireDraft(t, draft.Merge(found, back), `{"title":"Emma","published_year":1815}`, "published_year found", "title found")

	store, session := must.Get(draft.NewStore(must.Get(table.New(table.NewMemory(nil), nil)))), newSession(t)
	require.NoError(t, store.Save(t.Context(), session, edits))
	require.Equal(t, d.Texts, draft.Merge(draft.Findings{Updates: found.Updates}, must.Get(store.Load(t.Context(), session))).Texts)
}
