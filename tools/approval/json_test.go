package approval

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestRequestJSONIsTheDocumentedForm(t *testing.T) {
	t.Parallel()
	b := newBundle(t, nil)
	asked := time.Date(2026, 1, 31, 15, 4, 5, 123e6, time.UTC)
	pending := Request{
		Scope: b.s1, ID: digestTexts("a"), Tool: "lend_book", Call: "c1", Args: json.RawMessage(`{"title":"Emma"}`),
		Reason: "It is a rare book.", Status: StatusPending, Asked: asked, Expires: asked.Add(24 * time.Hour),
	}
	decided := pending
	decided.Status, decided.By, decided.Note, decided.Decided = StatusDeclined, "librarian", "It is being repaired.", asked.Add(time.Minute)
	raw, err := json.MarshalIndent(Page{Requests: []Request{pending, decided}, Next: "cursor"}, "", "  ")
	require.NoError(t, err)
	raw = append(raw, '\n')
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile("testdata/page.json", raw, 0o644))
	}
	golden, err := os.ReadFile("testdata/page.json")
	require.NoError(t, err)
	require.Equal(t, string(bytes.TrimSpace(golden)), string(bytes.TrimSpace(raw)))

	var back Page
	require.NoError(t, json.Unmarshal(raw, &back))
	require.ErrorIs(t, back.Requests[0].Scope.Require(), scope.ErrDenied, "a decoded request denies everything")
	decided.Scope = scope.Scope{}
	var args bytes.Buffer
	require.NoError(t, json.Compact(&args, back.Requests[1].Args))
	back.Requests[1].Args = args.Bytes()
	require.Equal(t, decided, back.Requests[1])

	empty, err := b.List(t.Context(), b.s1, nil)
	require.NoError(t, err)
	raw, err = json.Marshal(empty)
	require.NoError(t, err)
	require.Equal(t, `{"requests":[]}`, string(raw))
}
