package integration_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/object/s3object"
	"github.com/carrel-go/carrel/tools"
	"github.com/carrel-go/carrel/tools/objecttools"
)

// wiretap records the requests to S3: method, escaped path and query, and the Range header.
type wiretap struct {
	next s3.HTTPClient

	mu   sync.Mutex
	sent []string
}

func (w *wiretap) Do(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	w.sent = append(w.sent, fmt.Sprintf("%s %s %s", r.Method, r.URL.RequestURI(), r.Header.Get("Range")))
	w.mu.Unlock()
	return w.next.Do(r)
}

func (w *wiretap) takeRequests() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	sent := w.sent
	w.sent = nil
	return sent
}

// reader is one conversation about the files of a user.
type reader struct {
	t     *testing.T
	root  *object.Root
	scope scope.Scope
	state *tools.State
	tools tools.Resolved
}

// newReaders returns users of two tenants in one bucket, and the recorded requests to it.
func newReaders(t *testing.T) (acme, globex *reader, tap *wiretap) {
	t.Helper()
	needS3(t)
	name, err := servers.NewBucket(t.Context())
	require.NoError(t, err)
	o := servers.S3.Options()
	tap = &wiretap{next: o.HTTPClient}
	d, err := s3object.New(s3.New(o, func(o *s3.Options) { o.HTTPClient, o.ExpressCredentials = tap, nil }), name, nil)
	require.NoError(t, err)
	bucket := must.Get(object.New(d, name, nil))
	set, err := objecttools.Set(bucket, nil)
	require.NoError(t, err)
	of := func(tenant string) *reader {
		session, err := userOf(t, tenant, "u1").Session("0190b2d4-7c3a-7e51-9b7e-1f2a3c4d5e6f") // the same id: only the tenant differs
		require.NoError(t, err)
		r := &reader{t: t, scope: session, state: &tools.State{}}
		r.root, err = bucket.In(session)
		require.NoError(t, err)
		r.tools, err = set.Resolve(t.Context(), session, r.state)
		require.NoError(t, err)
		return r
	}
	return of("acme"), of("globex"), tap
}

func (r *reader) putFile(name, content string) {
	r.t.Helper()
	ref, err := r.root.Ref(name)
	require.NoError(r.t, err)
	_, _, err = r.root.Put(r.t.Context(), ref, strings.NewReader(content), &object.PutOptions{Overwrite: true})
	require.NoError(r.t, err)
}

// callTool calls a tool and returns its result as JSON, or the text of a correction.
func (r *reader) callTool(tool string, args map[string]any) (out json.RawMessage, correction string) {
	r.t.Helper()
	x, ok := r.tools.Lookup(tool)
	require.True(r.t, ok, tool)
	raw, err := json.Marshal(args)
	require.NoError(r.t, err)
	res, err := x.Call(r.t.Context(), tools.NewCall(tools.CallOptions{Scope: r.scope, Args: raw, State: r.state}))
	if e, ok := errors.AsType[*tools.CorrectionError](err); ok {
		return nil, e.Message
	}
	require.NoError(r.t, err, "%s %s", tool, raw)
	require.Len(r.t, res.Blocks, 1)
	return res.Blocks[0].JSON, ""
}

// mustCall calls a tool that must succeed and decodes its result.
func mustCall[Out any](r *reader, tool string, args map[string]any) (out Out) {
	r.t.Helper()
	raw, correction := r.callTool(tool, args)
	require.Empty(r.t, correction, tool)
	require.NoError(r.t, json.Unmarshal(raw, &out))
	return out
}

type toolArgs = map[string]any

// The fields of the tools' results that these tests read.
type (
	fileList struct {
		Files []struct {
			File, Name, Modified string
			Size                 int64
			Changed              bool
		}
	}
	chunk struct {
		Text, Cursor string
		End          int64
		Rows         [][]string
	}
	description struct {
		Format   string
		Columns  []string
		Rows     *int64
		Complete bool
	}
	searchResult struct {
		Cursor  string
		Matches []struct {
			Line int64
			Text string
		}
	}
	sampleResult struct {
		Items []struct{ Row []string }
	}
)

// The tools describe a file correctly, fetch only the needed ranges, and report a file that has changed.
func TestObjectToolsReadOnlyTheNeededRanges(t *testing.T) {
	t.Parallel()
	acme, globex, tap := newReaders(t)
	var books strings.Builder
	books.WriteString("title,year\n")
	const rows = 200_000
	for i := 1; i <= rows; i++ {
		fmt.Fprintf(&books, "the %06dth book,%d\n", i, 1500+i%500)
	}
	size := int64(books.Len())
	acme.putFile("books.csv", books.String())
	acme.putFile("note + é.txt", "a note\n") // a name that a URL has to escape
	globex.putFile("books.csv", "title,year\na secret of globex,1999\n")
	globex.putFile("only.txt", "a secret of globex\n")
	tap.takeRequests()

	list := mustCall[fileList](acme, "list_files", toolArgs{})
	require.Len(t, list.Files, 2)
	require.Equal(t, []string{"f1", "books.csv", "f2"}, []string{list.Files[0].File, list.Files[0].Name, list.Files[1].File})
	require.Equal(t, size, list.Files[0].Size)
	require.NotEmpty(t, list.Files[0].Modified)
	require.Equal(t, "a note\n", mustCall[chunk](acme, "read_chunk", toolArgs{"file": "f2"}).Text)

	about := mustCall[description](acme, "describe_file", toolArgs{"file": "f1"})
	require.Equal(t, "csv", about.Format)
	require.Equal(t, []string{"title", "year"}, about.Columns)
	require.EqualValues(t, rows, *about.Rows)
	require.True(t, about.Complete)

	// A chunk of a file of 5 MB needs the beginning of the file and a range of a quarter of a megabyte.
	tap.takeRequests()
	firstRows := mustCall[chunk](acme, "read_chunk", toolArgs{"file": "f1", "count": 2})
	require.Equal(t, [][]string{{"the 000001th book", "1501"}, {"the 000002th book", "1502"}}, firstRows.Rows)
	requireRanges(t, tap.takeRequests(), 512<<10)
	require.Equal(t, [][]string{{"the 000003th book", "1503"}},
		mustCall[chunk](acme, "read_chunk", toolArgs{"file": "f1", "count": 1, "cursor": firstRows.Cursor}).Rows)
	last := mustCall[chunk](acme, "read_chunk", toolArgs{"file": "f1", "start": rows})
	require.Equal(t, [][]string{{"the 200000th book", "1500"}}, last.Rows)
	require.Equal(t, size, last.End)
	tap.takeRequests()
	end := mustCall[chunk](acme, "read_chunk", toolArgs{"file": "f1", "by": "bytes", "start": size - 5})
	require.Equal(t, "1500\n", end.Text)
	requireRanges(t, tap.takeRequests(), 16<<10)

	found := mustCall[searchResult](acme, "search", toolArgs{"file": "f1", "pattern": `1999(9|8)\dth`, "regexp": true, "limit": 100})
	require.Len(t, found.Matches, 20)
	require.Equal(t, "the 199980th book,1980", found.Matches[0].Text)
	require.EqualValues(t, 199_981, found.Matches[0].Line)
	require.Empty(t, found.Cursor)

	tap.takeRequests()
	sample := mustCall[sampleResult](acme, "sample", toolArgs{"file": "f1", "count": 3})
	require.Equal(t, []string{"the 000001th book", "1501"}, sample.Items[0].Row)
	require.Equal(t, []string{"the 200000th book", "1500"}, sample.Items[2].Row)
	requireRanges(t, tap.takeRequests(), 256<<10)

	// After the file has changed, the old handle and cursor do not read it until it is listed again.
	acme.putFile("books.csv", "title,year\nanother book,2001\n")
	for tool, more := range fileTools() {
		more["file"] = "f1"
		_, correction := acme.callTool(tool, more)
		require.Contains(t, correction, "has changed since it was listed", tool)
	}
	list = mustCall[fileList](acme, "list_files", toolArgs{})
	require.Equal(t, "f1", list.Files[0].File)
	require.True(t, list.Files[0].Changed)
	_, correction := acme.callTool("read_chunk", toolArgs{"file": "f1", "cursor": firstRows.Cursor})
	require.Contains(t, correction, "cursor is not valid")
	require.Equal(t, [][]string{{"another book", "2001"}}, mustCall[chunk](acme, "read_chunk", toolArgs{"file": "f1"}).Rows)

	// The file is deleted.
	ref, err := acme.root.Ref("books.csv")
	require.NoError(t, err)
	require.NoError(t, acme.root.Delete(t.Context(), ref))
	for tool, more := range fileTools() {
		more["file"] = "f1"
		_, correction := acme.callTool(tool, more)
		require.Contains(t, correction, "does not exist any more", tool)
	}
}

// For any handle, cursor and State, the tools do not return a file of another tenant, and do not send S3 a request
// outside the prefix of the tenant.
func TestObjectToolsKeepTenantsApart(t *testing.T) {
	t.Parallel()
	acme, globex, tap := newReaders(t)
	acme.putFile("books.csv", "title,year\nours,2001\nours too,2002\n")
	globex.putFile("books.csv", "title,year\na secret of globex,1999\nanother secret,1999\n")
	globex.putFile("only.txt", "a secret of globex\n")
	require.Len(t, mustCall[fileList](globex, "list_files", toolArgs{}).Files, 2)
	theirs := mustCall[chunk](globex, "read_chunk", toolArgs{"file": "f1", "count": 1})
	require.Contains(t, theirs.Rows[0][0], "secret")
	require.NotEmpty(t, theirs.Cursor)
	tap.takeRequests()

	require.Len(t, mustCall[fileList](acme, "list_files", toolArgs{}).Files, 1)
	_, correction := acme.callTool("read_chunk", toolArgs{"file": "f1", "cursor": theirs.Cursor})
	require.Contains(t, correction, "cursor is not valid")
	stolen, err := json.Marshal(globex.state)
	require.NoError(t, err)
	require.NoError(t, acme.state.UnmarshalJSON(stolen))
	for _, file := range []string{"f1", "f2", "f3", "books.csv", globex.scope.Prefix() + "books.csv"} {
		for tool, more := range fileTools() {
			more["file"] = file
			_, correction := acme.callTool(tool, more)
			require.Contains(t, correction, "unknown file", "%s %s", tool, file)
		}
	}
	for _, sent := range tap.takeRequests() {
		require.NotContains(t, sent, "globex")
	}
}

// fileTools returns the tools that take a file, with their other arguments.
func fileTools() map[string]toolArgs {
	return map[string]toolArgs{"describe_file": {}, "read_chunk": {}, "search": {"pattern": "secret"}, "sample": {}}
}

// requireRanges checks that each request is for a range, and that all ranges together have at most the given number of
// bytes.
func requireRanges(t *testing.T, sent []string, most int64) {
	t.Helper()
	require.NotEmpty(t, sent)
	total := int64(0)
	for _, s := range sent {
		var from, to int64
		_, r, ok := strings.Cut(s, " bytes=")
		require.True(t, ok, "%s has no range", s)
		_, err := fmt.Sscanf(r, "%d-%d", &from, &to)
		require.NoError(t, err, s)
		total += to - from + 1
	}
	require.LessOrEqual(t, total, most)
}
