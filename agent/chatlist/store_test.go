package chatlist_test

import (
	"context"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent/chatlist"
	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

func newList(t *testing.T) (*chatlist.Store, scope.Scope, *table.Table) {
	t.Helper()
	tab := must.Get(table.New(table.NewMemory(nil), nil))
	return must.Get(chatlist.New(tab)), must.Get(must.Get(scope.Tenant("acme")).User("ann")), tab
}

func TestPagesAreNewestFirst(t *testing.T) {
	t.Parallel()
	list, user, _ := newList(t)
	var want []string
	for range 7 {
		session := must.Get(user.NewSession())
		require.NoError(t, list.Add(t.Context(), session, "hello"))
		want = append([]string{session.SessionID()}, want...)
	}
	var got []string
	for cursor, pages := "", 0; ; pages++ {
		require.Less(t, pages, 3)
		page, err := list.Page(t.Context(), user, cursor, 3)
		require.NoError(t, err)
		for _, c := range page.Chats {
			got = append(got, c.ID)
			require.False(t, c.Started.IsZero())
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	require.Equal(t, want, got)
	page, err := list.Page(t.Context(), user, "", 7)
	require.NoError(t, err)
	require.Empty(t, page.Next, "the last page is full")
}

func TestAChatIsTakenOffTheList(t *testing.T) {
	t.Parallel()
	list, user, _ := newList(t)
	gone, stays := must.Get(user.NewSession()), must.Get(user.NewSession())
	for _, session := range []scope.Scope{gone, stays} {
		require.NoError(t, list.Add(t.Context(), session, "hello"))
	}
	for range 2 {
		require.NoError(t, list.Remove(t.Context(), gone))
	}
	page := must.Get(list.Page(t.Context(), user, "", 9))
	require.Len(t, page.Chats, 1)
	require.Equal(t, stays.SessionID(), page.Chats[0].ID)
	require.ErrorIs(t, list.Remove(t.Context(), user), scope.ErrLevel)
}

// The first message stays the title of a chat.
func TestTitles(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]string{
		"what do\n I  have?":            "what do I have?",
		"<b>hello</b>":                  "<b>hello</b>",
		"שלום 📚":                        "שלום 📚",
		strings.Repeat("é", 80):         strings.Repeat("é", 80),
		strings.Repeat("é", 81):         strings.Repeat("é", 79) + "…",
		"invalid \xff" + "\x00 and nul": "invalid \xff\x00 and nul",
	} {
		list, user, _ := newList(t)
		session := must.Get(user.NewSession())
		err := list.Add(t.Context(), session, message)
		if !utf8.ValidString(message) {
			require.Error(t, err, "the table stores only valid text")
			continue
		}
		require.NoError(t, err)
		require.NoError(t, list.Add(t.Context(), session, "another"))
		page, err := list.Page(t.Context(), user, "", 10)
		require.NoError(t, err)
		require.Len(t, page.Chats, 1)
		require.Equal(t, want, page.Chats[0].Title)
	}
}

func TestOthersDoNotSeeTheList(t *testing.T) {
	t.Parallel()
	list, user, tab := newList(t)
	session := must.Get(user.NewSession())
	require.NoError(t, list.Add(t.Context(), session, "secret"))
	for _, other := range []scope.Scope{
		must.Get(must.Get(scope.Tenant("acme")).User("bob")), must.Get(must.Get(scope.Tenant("globex")).User("ann")),
	} {
		for _, cursor := range []string{"", session.SessionID()} {
			page, err := list.Page(t.Context(), other, cursor, 10)
			require.NoError(t, err)
			require.Empty(t, page.Chats)
		}
	}
	for _, sc := range []scope.Scope{{}, must.Get(scope.Tenant("acme")), session} {
		_, err := list.Page(t.Context(), sc, "", 10)
		require.ErrorIs(t, err, scope.ErrDenied)
	}
	require.ErrorIs(t, list.Add(context.Background(), user, "x"), scope.ErrDenied)

	_, err := list.Page(t.Context(), user, "../x", 10)
	require.ErrorIs(t, err, chatlist.ErrCursor)
	for _, limit := range []int{0, 101} {
		_, err = list.Page(t.Context(), user, "", limit)
		require.ErrorIs(t, err, chatlist.ErrInvalid)
	}
	_, err = must.Get(tab.In(user)).Put(t.Context(), table.Item{Sort: "title#x"}, table.Absent())
	require.NoError(t, err)
	_, err = list.Page(t.Context(), user, "", 10)
	require.ErrorContains(t, err, `"title#x"`)
}
