package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/scope"
)

const missing = "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"

// Two tenants and three users with books: every answer about the book of another one equals that about a missing book.
func TestBooksOfOthersDoNotExist(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	people := []string{"acme ann", "acme bob", "globex ann"}
	ids, titles := map[string]string{}, map[string]string{}
	for _, who := range people {
		w.as = who
		titles[who] = "secret of " + strings.ReplaceAll(who, " ", "")
		ids[who] = w.accepted(map[string]any{"title": titles[who]})
		w.as = who + " librarian"
		require.Equal(t, http.StatusOK, w.put("/api/bookshelf/"+ids[who], `{"version":1,"metadata":{"title":"`+titles[who]+`"}}`).Status)
	}
	requests := map[string]func(id string) reply{
		"read":             func(id string) reply { return w.get("/api/bookshelf/" + id) },
		"read a version":   func(id string) reply { return w.get("/api/bookshelf/" + id + "?version=1") },
		"see the photo":    func(id string) reply { return w.get("/api/bookshelf/" + id + "/thumbnail?photo=0123456789abcdef") },
		"correct":          func(id string) reply { return w.put("/api/bookshelf/"+id, `{"version":2,"metadata":{"title":"x"}}`) },
		"correct an old":   func(id string) reply { return w.put("/api/bookshelf/"+id, `{"version":1,"metadata":{"title":"x"}}`) },
		"share":            func(id string) reply { return w.post("/api/bookshelf/"+id+"/share", map[string]any{}) },
		"share a version":  func(id string) reply { return w.post("/api/bookshelf/"+id+"/share", map[string]any{"version": 1}) },
		"chat in it":       func(id string) reply { return w.chat(id, "hello") },
		"accept it again":  func(id string) reply { return w.accept(id, map[string]any{"title": "x"}) },
		"read its draft":   func(id string) reply { return w.get("/api/metadata/" + id) },
		"page behind it":   func(id string) reply { return w.get("/api/bookshelf/catalogue?cursor=" + id) },
		"search behind it": func(id string) reply { return w.get("/api/bookshelf/search?query=nothing&cursor=" + id) },
	}
	for _, who := range people {
		for _, role := range []string{" librarian", " ops librarian"} {
			w.as = who + role
			others := slices.DeleteFunc(slices.Clone(people), func(other string) bool { return other == who })
			for name, request := range requests {
				want := request(missing)
				for _, other := range others {
					got := request(ids[other])
					require.Equal(t, want.Status, got.Status, "%s: %s of %s", who, name, other)
					if !strings.Contains(name, "page") { // a page has the caller's own books
						require.Equal(t, want, got, "%s: %s of %s", who, name, other)
					}
				}
			}
			for _, target := range []string{"overview", "catalogue", "search?query=secret", "catalogue?cursor=" + missing} {
				body := w.get("/api/bookshelf/" + target).Body
				for _, other := range others {
					require.NotContains(t, body, ids[other], "%s: %s", who, target)
					require.NotContains(t, body, titles[other], "%s: %s", who, target)
				}
			}
		}
	}
	for _, who := range people {
		w.as = who
		got, _ := w.get("/api/bookshelf/catalogue").books(t)
		require.Equal(t, []string{ids[who]}, got)
		require.InDelta(t, 2, w.get("/api/bookshelf/" + ids[who]).json(t)["book"].(map[string]any)["version"], 0, "nobody has changed it")
	}
}

// A book that is shared is seen in its tenant, read-only, and not beyond it.
func TestSharedBooksStayInTheirTenant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.as = "acme ann librarian"
	id := w.accepted(map[string]any{"title": "Emma"})
	require.Equal(t, http.StatusOK, w.do(t.Context(), http.MethodPost, "/api/bookshelf/"+id+"/share", "").Status)
	for _, who := range []string{"globex ann librarian", "globex bob ops librarian"} {
		w.as = who
		require.Equal(t, w.get("/api/bookshelf/"+missing), w.get("/api/bookshelf/"+id))
		require.JSONEq(t, `{"books":[],"count":0}`, w.get("/api/bookshelf/catalogue").Body)
		require.JSONEq(t, `{"own":0,"shared":0,"capped":false,"recent":[]}`, w.get("/api/bookshelf/overview").Body)
	}
	w.as = "acme bob librarian"
	require.Equal(t, http.StatusOK, w.get("/api/bookshelf/"+id).Status)
	require.Equal(t, http.StatusNotFound, w.put("/api/bookshelf/"+id, `{"version":1,"metadata":{"title":"x"}}`).Status)
	require.Equal(t, http.StatusNotFound, w.post("/api/bookshelf/"+id+"/share", map[string]any{}).Status)
}

// The path of a book names nothing but a book of the caller.
func TestHostilePathsOfBooks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.as = "acme ann librarian"
	id := w.accepted(map[string]any{"title": "Emma"})
	for _, path := range []string{
		"x", strings.ToUpper(id), id + ".1", id + "%00", "%2e%2e%2f" + id, "book%23" + id, "..%2F..%2Ft%23globex", id + "%20",
		url.PathEscape(w.session(id).Partition()), url.PathEscape(w.session(id).Prefix() + "metadata.json"), "%FF", "null",
	} {
		require.Equal(t, http.StatusNotFound, w.get("/api/bookshelf/"+path).Status, path)
		require.Equal(t, http.StatusNotFound, w.put("/api/bookshelf/"+path, `{"version":1,"metadata":{"title":"x"}}`).Status, path)
		require.Equal(t, http.StatusNotFound, w.post("/api/bookshelf/"+path+"/share", map[string]any{}).Status, path)
	}
	for _, body := range []string{
		`{"message":"hello","tenant":"globex"}`, `{"message":"hello","user":"bob"}`, `{"message":"hello","scope":"t#globex"}`,
		`{"message":"hello","roles":["librarian"]}`, `{"message":"hello","agent":"chat-librarian"}`, `{"message":["hello"]}`,
		`{"message":"hello","session_id":"` + id + `"}`,
	} {
		require.Equal(t, http.StatusBadRequest, w.do(t.Context(), http.MethodPost, "/api/chat", body).Status, body)
	}
}

// callsOn returns a call of a tool for each address, as the value of an argument.
func callsOn(t *testing.T, tool, argument, secret string, addresses []string) (calls []agent.ToolUse) {
	t.Helper()
	for i, address := range addresses {
		args := map[string]any{"text": secret, "version": 1}
		if tool != "search_books" {
			delete(args, "text")
		}
		if tool != "share_book" {
			delete(args, "version")
		}
		args[argument] = address
		raw, err := json.Marshal(args)
		require.NoError(t, err)
		calls = append(calls, agent.ToolUse{ID: fmt.Sprint("c", i), Name: tool, Input: raw})
	}
	return calls
}

// checkChat checks that a chat is complete, that nobody is asked, and that only lists succeed, without the secret.
func (w *world) checkChat(t *testing.T, r reply, secret string) {
	t.Helper()
	require.Equal(t, "complete", r.last(t)["type"], r.Body)
	for _, e := range r.events(t) {
		require.NotContains(t, []any{"approval_requested", "pending"}, e["type"], "%v", e)
		if e["type"] != "tool_result" {
			continue
		}
		whole := w.get("/api/runs/" + r.runOf() + "/results/" + e["id"].(string)).Body
		if e["is_error"] == false {
			require.Contains(t, []any{"list_books", "search_books"}, e["name"])
			require.NotContains(t, whole, secret)
		}
	}
}

// A model in a chat tries every tool, with every argument and with invented tools, on every address of the book of
// another tenant and of a colleague. Nothing about the books is returned, nobody is asked to share them, and neither
// their rows nor their files are read.
func TestAChatThatAsksForOthers(t *testing.T) {
	t.Parallel()
	const secret = "the-secret-of-others"
	w := newWorld(t)
	var addresses []string
	for _, who := range []string{"globex eve", "acme bob"} {
		w.as = who
		id := w.accepted(map[string]any{"title": secret, "author": secret, "isbn": "9780486406480"})
		s := w.session(id)
		key := s.Prefix() + "metadata.json"
		addresses = append(addresses, id, key, "../../../"+key, "arn:aws:s3:::raw/"+key, s.Partition()+"/book#"+id, id+"\x00",
			secret, "9780486406480", s.TenantID())
	}
	w.as = "acme ann librarian"
	mine := w.accepted(map[string]any{"title": "Emma"})
	w.srv.Close(t.Context()) // the runs of the others write for a moment after their last event
	w.open(w.options)
	w.opened.mu.Lock()
	w.opened.scopes = nil
	w.opened.mu.Unlock()
	w.rows.seen.Clear()

	toolNames := []string{
		"list_books", "search_books", "read_book", "share_book", "get_object", "../read_book",
	}
	arguments := []string{"cursor", "text", "book_id", "field", "key", "tenant", "session", "path"}
	for _, tool := range toolNames {
		for _, argument := range arguments {
			w.model.then(uses(callsOn(t, tool, argument, secret, addresses)...))
			w.checkChat(t, w.chat("", "go on"), secret)
		}
	}
	user := identity(t, "acme", "ann", false)
	w.rows.seen.Range(func(partition, _ any) bool {
		s, err := scope.ParsePartition(partition.(string))
		require.NoError(t, err)
		require.True(t, user.User.Contains(s) || user.Shared.Contains(s), partition)
		return true
	})
	w.opened.mu.Lock()
	defer w.opened.mu.Unlock()
	for _, s := range w.opened.scopes {
		require.True(t, user.User.Contains(s) || user.Shared.Contains(s), s)
	}
	got, _ := w.get("/api/bookshelf/catalogue").books(t)
	require.Equal(t, []string{mine}, got)
}
