package server_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// accepted uploads, extracts and accepts a book, and returns its id.
func (w *world) accepted(metadata map[string]any) string {
	w.t.Helper()
	id := w.uploaded(picture(w.t))
	require.Equal(w.t, "complete", w.extract(id).last(w.t)["type"])
	r := w.accept(id, metadata)
	require.Equal(w.t, http.StatusOK, r.Status, r.Body)
	return id
}

func (w *world) put(target string, body string) reply {
	return w.do(w.t.Context(), http.MethodPut, target, body)
}

// books returns the ids of a page, and its cursor.
func (r reply) books(t *testing.T) (ids []string, next string) {
	t.Helper()
	require.Equal(t, http.StatusOK, r.Status, r.Body)
	page := r.json(t)
	for _, b := range page["books"].([]any) {
		ids = append(ids, b.(map[string]any)["id"].(string))
	}
	next, _ = page["next"].(string)
	return ids, next
}

func TestCatalogue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	require.JSONEq(t, `{"books":[],"count":0}`, w.get("/api/bookshelf/catalogue").Body)
	require.JSONEq(t, `{"own":0,"shared":0,"capped":false,"recent":[]}`, w.get("/api/bookshelf/overview").Body)
	var want []string
	for i := range 7 {
		want = append([]string{w.accepted(map[string]any{"title": fmt.Sprint("Emma ", i), "author": "Jane Austen"})}, want...)
	}
	ids, next := w.get("/api/bookshelf/catalogue").books(t)
	require.Equal(t, want, ids, "newest first")
	require.Empty(t, next)

	var paged []string
	for target, pages := "/api/bookshelf/catalogue?limit=3", 0; ; pages++ {
		require.Less(t, pages, 3)
		ids, next := w.get(target).books(t)
		paged = append(paged, ids...)
		if next == "" {
			break
		}
		target = "/api/bookshelf/catalogue?limit=3&cursor=" + next
	}
	require.Equal(t, want, paged)

	row := w.get("/api/bookshelf/catalogue?limit=1").json(t)["books"].([]any)[0].(map[string]any)
	require.Equal(t, want[0], row["id"])
	require.Equal(t, map[string]any{"title": "Emma 6", "author": "Jane Austen"}, row["metadata"])
	require.InDelta(t, 1, row["version"], 0)
	require.Equal(t, "you", row["owner"])
	require.Contains(t, row["photo_url"], "/landing/tenant%3Ddemo/user%3Danonymous/uploads/"+want[0]+"/cover.png?")
	require.Contains(t, row["photo_url"], "X-Amz-Signature=")
	require.NotEmpty(t, row["accepted_at"])

	overview := w.get("/api/bookshelf/overview").json(t)
	require.InDelta(t, 7, overview["own"], 0)
	require.Len(t, overview["recent"], 5)

	for _, bad := range []string{"cursor=", "cursor=x", "cursor=..%2F" + want[0], "limit=0", "limit=101", "limit=01", "limit=1&limit=2"} {
		require.Equal(t, http.StatusBadRequest, w.get("/api/bookshelf/catalogue?"+bad).Status, bad)
	}
}

func TestSearch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	emma := w.accepted(map[string]any{"title": "Emma", "author": "Jane Austen", "isbn": "0486406482"})
	strasse := w.accepted(map[string]any{"title": "Die Straße des Glücks", "author": "Ægir O’Reilly"})
	bare := w.accepted(map[string]any{"title": "Austen: A Life"})
	guide := w.accepted(map[string]any{"title": "A Field Guide", "isbn": "9780804429573"})
	for query, want := range map[string][]string{
		"query=emma":                               {emma},
		"query=EMMA+aust":                          {emma},
		"query=austen":                             {bare, emma},
		"query=austen&field=author":                {emma},
		"query=austen&field=title":                 {bare},
		"query=mma":                                nil,
		"query=gl%C3%BCcks":                        {strasse},
		"query=glucks":                             {strasse},
		"query=oreilly":                            {strasse},
		"query=0-486-40648-2":                      {emma},
		"query=9780486406480":                      {emma},
		"query=978-0-486-40648-0&field=isbn":       {emma},
		"query=9780486406481":                      nil,
		"query=9780804429573":                      {guide},
		"query=0-8044-2957-x":                      {guide},
		"query=080442957X&field=isbn":              {guide},
		"query=emma&field=isbn":                    nil,
		"query=%21%21":                             nil,
		"query=austen&limit=1":                     {bare},
		"query=austen&cursor=" + bare:              {emma},
		"query=austen&field=author&cursor=" + emma: nil,
	} {
		ids, _ := w.get("/api/bookshelf/search?" + query).books(t)
		require.Equal(t, want, ids, query)
	}
	for _, bad := range []string{"", "query=", "query=x&field=publisher", "query=" + strings.Repeat("x", 201)} {
		require.Equal(t, http.StatusBadRequest, w.get("/api/bookshelf/search?"+bad).Status, bad)
	}
}

// A correction is a new version. Both can be read, and a correction of an old one is refused.
func TestCorrections(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.accepted(map[string]any{"title": "Ema"})
	path := "/api/bookshelf/" + id
	correct := func(body string) reply { return w.put(path, body) }

	r := correct(`{"version":1,"metadata":{"title":"Emma"}}`)
	require.Equal(t, http.StatusOK, r.Status, r.Body)
	require.InDelta(t, 2, r.json(t)["book"].(map[string]any)["version"], 0)
	require.Len(t, r.json(t)["versions"], 2)
	book, again := r.json(t), correct(`{"version":1,"metadata":{"title":"Emma"}}`).json(t)
	withoutGrant(book["book"].(map[string]any), again["book"].(map[string]any))
	require.Equal(t, book, again, "the same again")
	require.Equal(t, http.StatusConflict, correct(`{"version":1,"metadata":{"title":"Emma!"}}`).Status)
	require.Equal(t, http.StatusConflict, correct(`{"version":3,"metadata":{"title":"Emma!"}}`).Status)
	require.JSONEq(t, `{"title":"Ema"}`, w.saved(id), "what was accepted remains")

	title := func(query string) any {
		return w.get(path + query).json(t)["book"].(map[string]any)["metadata"].(map[string]any)["title"]
	}
	require.Equal(t, "Emma", title(""))
	require.Equal(t, "Ema", title("?version=1"))
	require.Equal(t, "Emma", title("?version=2"))
	for _, n := range []string{"0", "3", "-1"} {
		require.Equal(t, http.StatusNotFound, w.get(path+"?version="+n).Status, n)
	}
	require.Equal(t, http.StatusOK, w.accept(id, map[string]any{"title": "Ema"}).Status, "a repeated accept changes nothing")
	require.Equal(t, "Emma", title(""))

	for _, bad := range []string{`{}`, `{"version":2}`, `{"metadata":{"title":"x"}}`, `{"version":2,"metadata":{}}`,
		`{"version":2,"metadata":{"tenant":"x"}}`, `{"version":"2","metadata":{"title":"x"}}`, `{"version":0,"metadata":{"title":"x"}}`} {
		require.Equal(t, http.StatusBadRequest, correct(bad).Status, bad)
	}
	require.Equal(t, http.StatusMethodNotAllowed, w.do(t.Context(), http.MethodDelete, path, "").Status)
}

func TestSharing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.as = "acme ann"
	id := w.accepted(map[string]any{"title": "Emma"})
	share := func(body string) reply {
		return w.do(t.Context(), http.MethodPost, "/api/bookshelf/"+id+"/share", body)
	}
	require.Equal(t, http.StatusForbidden, share(`{}`).Status)
	w.as = "acme ann librarian"
	r := share(`{}`)
	require.Equal(t, http.StatusOK, r.Status, r.Body)
	row := r.json(t)["book"].(map[string]any)
	require.Equal(t, "tenant", row["owner"])
	require.Equal(t, "ann", row["shared_by"])
	require.Contains(t, row["photo_url"], "/raw/tenant%3Dacme/shared/"+id+".000001.png?")
	require.Equal(t, http.StatusOK, share(`{"version":1}`).Status, "again")

	w.as = "acme bob"
	ids, _ := w.get("/api/bookshelf/catalogue").books(t)
	require.Equal(t, []string{id}, ids)
	theirs := w.get("/api/bookshelf/" + id).json(t)["book"].(map[string]any)
	require.Equal(t, row, withoutGrant(row, theirs))
	require.Equal(t, http.StatusNotFound, w.put("/api/bookshelf/"+id, `{"version":1,"metadata":{"title":"x"}}`).Status)
	w.as = "acme bob librarian"
	require.Equal(t, http.StatusNotFound, share(`{}`).Status, "it is not bob's")

	w.as = "acme ann"
	corrected := w.put("/api/bookshelf/"+id, `{"version":1,"metadata":{"title":"Emma (1815)"}}`)
	require.Equal(t, http.StatusOK, corrected.Status)
	require.InDelta(t, 1, corrected.json(t)["book"].(map[string]any)["shared_version"], 0)
	row = w.get("/api/bookshelf/" + id).json(t)["book"].(map[string]any)
	require.Equal(t, "you", row["owner"])
	require.InDelta(t, 2, row["version"], 0)
	require.InDelta(t, 1, row["shared_version"], 0)
	w.as = "acme bob"
	require.Equal(t, "Emma", w.get("/api/bookshelf/" + id).json(t)["book"].(map[string]any)["metadata"].(map[string]any)["title"])

	w.as = "acme ann librarian"
	require.Equal(t, http.StatusNotFound, share(`{"version":3}`).Status)
	require.Equal(t, http.StatusOK, share(`{"version":2}`).Status)
	require.Equal(t, http.StatusOK, share(`{"version":1}`).Status, "an older version changes nothing")
	w.as = "acme bob"
	book := w.get("/api/bookshelf/" + id).json(t)
	require.InDelta(t, 2, book["book"].(map[string]any)["version"], 0)
	require.Len(t, book["versions"], 2)
	ids, _ = w.get("/api/bookshelf/search?query=emma").books(t)
	require.Equal(t, []string{id}, ids)
	overview := w.get("/api/bookshelf/overview").json(t)
	require.InDelta(t, 0, overview["own"], 0)
	require.InDelta(t, 1, overview["shared"], 0)
}

// A book says what its reader may do with it, and who has shared it.
func TestRightsAndSharers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.as = "acme ann librarian"
	id := w.accepted(map[string]any{"title": "Emma"})
	rights := func(as string) any {
		w.as = as
		return w.get("/api/bookshelf/" + id).json(t)["rights"]
	}
	require.Equal(t, map[string]any{"can_correct": true, "can_share": true}, rights("acme ann librarian"))
	require.Equal(t, map[string]any{"can_correct": true, "can_share": false}, rights("acme ann ops"))

	w.as = "acme ann librarian"
	require.Equal(t, http.StatusOK, w.post("/api/bookshelf/"+id+"/share", map[string]any{}).Status)
	own := w.get("/api/bookshelf/" + id).json(t)
	require.NotContains(t, own["book"], "shared_by", "it is the owner's")
	require.NotContains(t, own["versions"].([]any)[0], "by")

	require.Equal(t, map[string]any{"can_correct": false, "can_share": false}, rights("acme bob librarian"))
	theirs := w.get("/api/bookshelf/" + id).json(t)
	require.Equal(t, "ann", theirs["book"].(map[string]any)["shared_by"])
	require.Equal(t, "ann", theirs["versions"].([]any)[0].(map[string]any)["by"])
	row := w.get("/api/bookshelf/catalogue").json(t)["books"].([]any)[0].(map[string]any)
	require.Equal(t, theirs["book"], withoutGrant(theirs["book"].(map[string]any), row), "a row is complete")
}

// withoutGrant returns the second row with the grant of the first: each request signs a new one.
func withoutGrant(a, b map[string]any) map[string]any {
	b["photo_url"] = a["photo_url"]
	return b
}
