package objecttools

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestListContinuesWithTheCursor(t *testing.T) {
	t.Parallel()
	c := newConversation(t, nil)
	for _, n := range []string{"a1.txt", "a2.TXT", "b1.csv", "b2.csv", "c1.txt", "c2.txt", "c3.txt", "d.txt", "e.txt"} {
		c.putObject(n, n)
	}
	for i := range maxFiles - 7 { // the handles that are left
		c.putObject(fmt.Sprintf("f%03d.txt", i), "")
	}
	var got []string
	out := callAs[fileList](c, "list_files", `{"limit":2}`)
	for range 3 {
		for _, f := range out.Files {
			got = append(got, f.File+" "+f.Name)
		}
		require.Contains(t, out.Notes[0], "more follow")
		out = callAs[fileList](c, "list_files", encodeArgs(t, "limit", 2, "cursor", out.Cursor))
	}
	require.Equal(t, []string{"f1 a1.txt", "f2 a2.TXT", "f3 b1.csv", "f4 b2.csv", "f5 c1.txt", "f6 c2.txt"}, got)
	for out.Cursor != "" {
		out = callAs[fileList](c, "list_files", encodeArgs(t, "limit", 100, "cursor", out.Cursor))
	}
	require.Equal(t, "f200", out.Files[len(out.Files)-1].File)
	require.Contains(t, out.Notes[0], "only 200 files may have a handle")

	out = callAs[fileList](c, "list_files", `{"match":".Txt","limit":3}`)
	require.Len(t, out.Files, 3)
	require.Equal(t, "f5", out.Files[2].File)
	require.NotEmpty(t, out.Cursor)
	c.correctionOf("list_files", encodeArgs(t, "match", "csv", "cursor", out.Cursor))
	require.Contains(t, c.correctionOf("list_files", `{"limit":0}`), "limit")
	require.Contains(t, c.correctionOf("list_files", `{"limit":201}`), "limit")
	require.Contains(t, c.correctionOf("list_files", encodeArgs(t, "match", strings.Repeat("x", 256))), "match must be at most 255 bytes")
	none := callAs[fileList](c, "list_files", `{"match":"nothing"}`)
	require.Empty(t, none.Files)
	require.NotNil(t, none.Files)
}

// One call with a rare match looks at maxLooked files at most, and the next one continues with the cursor.
func TestListLooksAtABoundedNumberOfFiles(t *testing.T) {
	t.Parallel()
	c := newConversation(t, nil)
	for i := range maxLooked + 10 {
		c.putObject(fmt.Sprintf("%05d.txt", i), "")
	}
	c.putObject("zz-wanted.txt", "found")
	none := callAs[fileList](c, "list_files", `{"match":"wanted"}`)
	require.Empty(t, none.Files)
	require.Contains(t, none.Notes[0], "looked at 10000 files, and more follow")
	require.NotContains(t, none.Cursor, "txt")
	found := callAs[fileList](c, "list_files", encodeArgs(t, "match", "wanted", "cursor", none.Cursor))
	require.Len(t, found.Files, 1)
	require.Empty(t, found.Cursor)
	require.Equal(t, "found", callAs[chunk](c, "read_chunk", encodeArgs(t, "file", found.Files[0].File)).Text)

	// The cursor is only valid for this match, this scope and this conversation.
	require.Contains(t, c.correctionOf("list_files", encodeArgs(t, "match", "want", "cursor", none.Cursor)), "cursor is not valid")
	theirs := startConversation(t, c.bucket, sessionScope(t, "globex", "u1"), nil)
	require.Contains(t, theirs.correctionOf("list_files", encodeArgs(t, "match", "wanted", "cursor", none.Cursor)), "cursor is not valid")
	stolen, err := json.Marshal(c.state)
	require.NoError(t, err)
	require.NoError(t, theirs.state.UnmarshalJSON(stolen))
	require.Contains(t, theirs.correctionOf("list_files", encodeArgs(t, "match", "wanted", "cursor", none.Cursor)), "cursor is not valid")
	for i := range int64(3) {
		forged := encodeCursor(fmt.Sprintf("list %q %q %q", "b", "wanted", theirs.scope.Prefix()), i)
		require.Contains(t, theirs.correctionOf("list_files", encodeArgs(t, "match", "wanted", "cursor", forged)), "cursor is not valid")
	}
}

// Concurrent calls of one turn assign one handle to each file.
func TestConcurrentCallsAssignOneHandlePerFile(t *testing.T) {
	t.Parallel()
	c := newConversation(t, nil)
	for _, n := range []string{"a", "b", "c", "d"} {
		c.putObject(n+".txt", n)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			res, err := c.callTool("list_files", `{}`)
			if err != nil {
				t.Error(err)
				return
			}
			var l fileList
			if err := json.Unmarshal(res.Blocks[0].JSON, &l); err != nil {
				t.Error(err)
			}
			for _, f := range l.Files {
				res, err := c.callTool("read_chunk", `{"file":"`+f.File+`","by":"bytes"}`)
				if err != nil || !strings.Contains(string(res.Blocks[0].JSON), `"text":"`+f.Name[:1]+`"`) {
					t.Error(f, err)
				}
			}
		})
	}
	wg.Wait()
	var m fileTable
	_, err := c.state.Get(stateName, &m)
	require.NoError(t, err)
	require.Len(t, m.Files, 4)
}
