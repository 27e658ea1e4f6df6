package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// chats returns a page of the person's chats as their ids and titles, and the cursor of the next one.
func (s *site) chats(cursor string) (ids, titles []string, next string) {
	s.t.Helper()
	path := "/api/chat"
	if cursor != "" {
		path += "?cursor=" + cursor
	}
	status, out := s.get(path)
	require.Equal(s.t, http.StatusOK, status, out)
	for _, c := range out["chats"].([]any) {
		row := c.(map[string]any)
		ids, titles = append(ids, row["chat_id"].(string)), append(titles, row["title"].(string))
		require.NotEmpty(s.t, row["started_at"])
	}
	next, _ = out["next"].(string)
	return ids, titles, next
}

func TestChatsAreListedForTheirUserAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, kill := begin(t, dir, "-pace", "0")
	ann, ben, eve := s.as("acme", "ann"), s.as("acme", "ben"), s.as("globex", "ann")
	ids, _, next := ann.chats("")
	require.Empty(t, ids)
	require.Empty(t, next)
	id := ann.upload("stock.csv", []byte("sku,on_hand,warehouse\nSKU-1,5,W\n"))
	run, _ := ann.chat(map[string]any{"file_id": id}, nil)
	first, _, _ := strings.Cut(run, ".")
	ann.chat(map[string]any{"chat_id": first, "message": "list my files"}, nil)
	want := []string{first}
	for i := range chatsOfAPage + 1 {
		run, _ := ann.chat(map[string]any{"message": fmt.Sprintf("<b>hello</b>\n %d", i)}, nil)
		chat, _, _ := strings.Cut(run, ".")
		want = append(want, chat)
	}
	slices.Reverse(want)

	// A chat whose server is killed in its first run is listed too.
	run, _ = ann.chat(map[string]any{"message": "what files do I have?"}, func(e []event) bool { return e[len(e)-1].Type == "step_started" })
	kill(syscall.SIGKILL)
	s, _ = begin(t, dir, "-pace", "0")
	ann, ben, eve = s.with(ann.token), s.with(ben.token), s.with(eve.token)
	chat, _, _ := strings.Cut(run, ".")
	want = append([]string{chat}, want...)
	ann.follow(run, "")

	ids, titles, next := ann.chats("")
	require.Len(t, ids, chatsOfAPage)
	require.Equal(t, "what files do I have?", titles[0])
	require.Equal(t, fmt.Sprintf("<b>hello</b> %d", chatsOfAPage), titles[1])
	more, moreTitles, end := ann.chats(next)
	require.Equal(t, want, append(ids, more...))
	require.Equal(t, "stock.csv", moreTitles[len(moreTitles)-1])
	require.Empty(t, end)

	for _, other := range []*site{ben, eve, s.with("")} {
		for _, cursor := range []string{"", next} {
			found, _, _ := other.chats(cursor)
			require.Empty(t, found)
		}
		status, _ := other.get("/api/chat/" + first)
		require.Equal(t, http.StatusNotFound, status)
	}
	for _, query := range []string{"cursor=x", "cursor=../" + first, "cursor=" + next + "&cursor=" + next, "cursor=%zz"} {
		status, _ := ann.get("/api/chat?" + query)
		require.Equal(t, http.StatusBadRequest, status, query)
	}
	status, _ := ann.request(http.MethodPut, "/api/chat", nil)
	require.Equal(t, http.StatusMethodNotAllowed, status)
}

// chatsOfAPage is the number of chats of a page.
const chatsOfAPage = 20

// with returns the site for the person with that token, or for nobody in particular.
func (s *site) with(token string) *site { return &site{s.t, s.url, s.pid, token} }
