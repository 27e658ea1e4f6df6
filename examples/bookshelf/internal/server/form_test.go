package server_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// Accept, draft and corrections take the same forms: every field as text, "" for an absent one, and a printed ISBN.
func TestFormsSendEveryFieldAsText(t *testing.T) {
	t.Parallel()
	const wrongDigit = `The field "isbn" has the wrong last digit: after 978048628473 it must be 6.`
	for name, c := range map[string]struct{ form, stored, problem string }{
		"every field as text": {
			`{"title":"Emma","author":"Jane Austen","isbn":"978-0-486-28473-6","publisher":"John Murray",` +
				`"published_year":"1813","description":"One.\nTwo.","confidence":"0.9"}`,
			`{"author":"Jane Austen","confidence":0.9,"description":"One.\nTwo.","isbn":"9780486284736",` +
				`"published_year":1813,"publisher":"John Murray","title":"Emma"}`, "",
		},
		"empty texts": {
			`{"title":"Emma","author":"","isbn":"","publisher":"","published_year":"","description":"","confidence":""}`,
			`{"title":"Emma"}`, "",
		},
		"nulls":                 {`{"title":"Emma","isbn":null,"published_year":null}`, `{"title":"Emma"}`, ""},
		"numbers":               {`{"published_year":1813,"confidence":1}`, `{"confidence":1,"published_year":1813}`, ""},
		"an ISBN with its name": {`{"isbn":"ISBN-10: 0-8044-2957-x"}`, `{"isbn":"080442957X"}`, ""},
		"an ISBN with spaces":   {`{"isbn":"978 0 486 28473 6"}`, `{"isbn":"9780486284736"}`, ""},
		"zero as text":          {`{"title":"Emma","confidence":"0"}`, `{"confidence":0,"title":"Emma"}`, ""},
		"a wrong check digit":   {`{"isbn":"978-0-486-28473-7"}`, "", wrongDigit},
		"a wrong check digit X": {
			`{"isbn":"0-8044-2957-1"}`, "", `The field "isbn" has the wrong last digit: after 080442957 it must be X.`,
		},
		"too few digits": {
			`{"isbn":"978-0-486"}`, "",
			`The field "isbn" must be 10 or 13 digits, with or without hyphens, for example 978-0-486-28473-6 ` +
				`(the last of ten may be X).`,
		},
		"a year in words": {
			`{"published_year":"soon"}`, "", `The field "published_year" must be an integer, for example 1999, or null.`,
		},
		"a year with a space": {
			`{"published_year":"1813 "}`, "", `The field "published_year" must be an integer, for example 1999, or null.`,
		},
		"a confidence in percent": {
			`{"confidence":"90%"}`, "", `The field "confidence" must be a number from 0 to 1, or null.`,
		},
		"a confidence above one": {
			`{"confidence":"1.5"}`, "", `The field "confidence" must be a number from 0 to 1, or null.`,
		},
		"a year in a list": {
			`{"published_year":["1813"]}`, "", `The field "published_year" must be an integer, for example 1999, or null.`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			id := w.uploaded(picture(t))
			w.model.then(say("done"))
			require.Equal(t, "complete", w.extract(id).last(t)["type"])
			version := w.version(id)

			check := func(r reply, metadata func() string) {
				t.Helper()
				if c.problem != "" {
					require.Equal(t, http.StatusBadRequest, r.Status, r.Body)
					require.Equal(t, c.problem, r.json(t)["detail"])
					return
				}
				require.Equal(t, http.StatusOK, r.Status, r.Body)
				require.JSONEq(t, c.stored, metadata())
			}
			member := func(r reply, path ...string) string {
				var v any = r.json(t)
				for _, name := range path {
					v = v.(map[string]any)[name]
				}
				b, err := json.Marshal(v)
				require.NoError(t, err)
				return string(b)
			}

			saved := w.put("/api/metadata/"+id+"/draft", `{"version":"`+version+`","metadata":`+c.form+`}`)
			check(saved, func() string { return member(w.draft(id), "metadata") })
			accepted := w.do(t.Context(), http.MethodPost, "/api/metadata/accept", `{"session_id":"`+id+`","metadata":`+c.form+`}`)
			check(accepted, func() string { return w.saved(id) })
			if c.problem != "" {
				require.Equal(t, http.StatusOK, w.accept(id, map[string]any{"title": "Emma"}).Status)
			}
			corrected := w.put("/api/bookshelf/"+id, `{"version":1,"metadata":`+c.form+`}`)
			check(corrected, func() string { return member(w.get("/api/bookshelf/"+id), "book", "metadata") })
		})
	}
}

// A search for an ISBN takes it as printed, and explains a wrong digit. Text that is not an ISBN finds nothing.
func TestSearchTakesPrintedISBNs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.accepted(map[string]any{"title": "Emma", "isbn": "0-8044-2957-X"})
	for _, query := range []string{"0-8044-2957-x", "ISBN+0804-42957-X", "978-0-8044-2957-3", "9780804429573"} {
		ids, _ := w.get("/api/bookshelf/search?field=isbn&query=" + query).books(t)
		require.Equal(t, []string{id}, ids, query)
		ids, _ = w.get("/api/bookshelf/search?query=" + query).books(t)
		require.Equal(t, []string{id}, ids, query)
	}
	r := w.get("/api/bookshelf/search?field=isbn&query=978-0-8044-2957-4")
	require.Equal(t, http.StatusBadRequest, r.Status)
	require.Equal(t, `The field "isbn" has the wrong last digit: after 978080442957 it must be 3.`, r.json(t)["detail"])
	for _, query := range []string{"emma", "978-0"} {
		ids, _ := w.get("/api/bookshelf/search?field=isbn&query=" + query).books(t)
		require.Empty(t, ids)
	}
}
