package server_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// titles are those of the uploads in operations, as a list, a record and a search show them.
func (w *world) requireTitle(id, title string) {
	w.t.Helper()
	for _, path := range []string{"/api/ops/files?owner=me", "/api/ops/files?q=" + title, "/api/ops/files/" + id} {
		r := w.get(path).json(w.t)
		row, _ := r["file"].(map[string]any)
		if rows, ok := r["files"].([]any); ok {
			require.Len(w.t, rows, 1, path)
			row = rows[0].(map[string]any)
		}
		require.Equal(w.t, title, row["title"], path)
	}
}

// An upload has one title: that of the draft, and after the accept that of the book.
func TestTheTitleOfAnUpload(t *testing.T) {
	t.Parallel()
	w, id := newFound(t)
	w.requireTitle(id, "Emma")
	require.Equal(t, http.StatusOK, w.saveDraft(id, w.version(id), map[string]any{"title": "Typed"}).Status)
	w.requireTitle(id, "Typed")
	require.Equal(t, http.StatusOK, w.accept(id, map[string]any{"title": "Accepted", "author": "Jane Austen"}).Status)
	w.requireTitle(id, "Accepted")
	corrected := w.do(t.Context(), http.MethodPut, "/api/bookshelf/"+id, `{"version":1,"metadata":{"title":"Corrected"}}`)
	require.Equal(t, http.StatusOK, corrected.Status, corrected.Body)
	w.requireTitle(id, "Corrected")
	require.Equal(t, map[string]any{"title": "Corrected"}, w.draft(id).json(t)["metadata"], "the card on the desk too")
	require.Empty(t, w.get("/api/ops/files?q=Accepted").json(t)["files"])
}
