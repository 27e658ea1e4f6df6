package objecttools

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
)

func sharedScope(t *testing.T, tenant string) scope.Scope {
	t.Helper()
	s, err := scope.Tenant(tenant)
	require.NoError(t, err)
	s, err = s.Shared()
	require.NoError(t, err)
	return s
}

// newSharedLibrary starts a conversation in a bucket where two tenants share files of the same names.
func newSharedLibrary(t *testing.T, e *auditRecorder) *conversation {
	b := must.Get(object.New(object.NewMemory(), "b", &object.Options{Audit: e, PageSize: 2}))
	for _, tenant := range []string{"acme", "globex"} {
		c := startConversation(t, b, sharedScope(t, tenant), nil)
		for i := range 3 {
			c.putObject(fmt.Sprintf("terms%d.txt", i), "the terms of "+tenant)
		}
	}
	c := startConversation(t, b, sessionScope(t, "acme", "u1"), nil)
	c.putObject("a.txt", "mine")
	c.putObject("b.txt", "mine too")
	return c
}

func listedNames(l fileList) string {
	var all []string
	for _, f := range l.Files {
		all = append(all, f.Place+":"+f.Name)
	}
	return strings.Join(all, " ")
}

// A run with shared data lists it after its own files, on pages of any size, and can read it.
func TestSharedFilesAreListedAfterOwnFiles(t *testing.T) {
	t.Parallel()
	var e auditRecorder
	c := newSharedLibrary(t, &e)
	require.Equal(t, "upload:a.txt upload:b.txt", listedNames(callAs[fileList](c, "list_files", `{}`)), "nothing is derived from the session")

	c.shared = sharedScope(t, "acme")
	const all = "upload:a.txt upload:b.txt shared:terms0.txt shared:terms1.txt shared:terms2.txt"
	require.Equal(t, all, listedNames(callAs[fileList](c, "list_files", `{}`)))
	for limit := 1; limit <= 5; limit++ {
		var pages []string
		for cursor := ""; ; {
			l := callAs[fileList](c, "list_files", fmt.Sprintf(`{"limit":%d%s}`, limit, cursor))
			pages = append(pages, listedNames(l))
			if l.Cursor == "" {
				break
			}
			cursor = fmt.Sprintf(`,"cursor":%q`, l.Cursor)
		}
		require.Equal(t, all, strings.TrimSpace(strings.Join(pages, " ")), "pages of %d", limit)
	}
	require.Equal(t, "the terms of acme", callAs[chunk](c, "read_chunk", `{"file":"f3"}`).Text)
	for _, x := range fileTools {
		_, err := c.callTool(x.tool, `{"file":"f3"`+x.more+`}`)
		require.NoError(t, err, x.tool)
	}
	require.Empty(t, e.refusals)

	// A scope that contains the shared data lists it once.
	tenant, err := scope.Tenant("acme")
	require.NoError(t, err)
	wide := startConversation(t, c.bucket, tenant, nil)
	wide.shared = c.shared
	require.Len(t, callAs[fileList](wide, "list_files", `{}`).Files, 5)
}

// A run without the tenant's shared data can't read it with the handles and cursors of a run that has it. That holds
// for no shared scope, another tenant's, and a scope that is not shared data.
func TestSharedFilesNeedPermission(t *testing.T) {
	t.Parallel()
	tenant, err := scope.Tenant("acme")
	require.NoError(t, err)
	user, err := tenant.User("u2")
	require.NoError(t, err)
	for name, shared := range map[string]scope.Scope{
		"none": {}, "another tenant's": sharedScope(t, "globex"), "the tenant": tenant, "another user": user,
		"another user's session": sessionScope(t, "acme", "u2"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var e auditRecorder
			c := newSharedLibrary(t, &e)
			other := startConversation(t, c.bucket, sessionScope(t, "acme", "u2"), nil)
			other.putObject("secret.txt", "of u2")
			c.shared = sharedScope(t, "acme")
			l := callAs[fileList](c, "list_files", `{"limit":3}`)
			require.Len(t, l.Files, 3)
			c.shared = shared
			require.Contains(t, c.correctionOf("list_files", fmt.Sprintf(`{"cursor":%q}`, l.Cursor)), "cursor")
			e.refusals = nil
			for _, x := range fileTools {
				never := c.correctionOf(x.tool, `{"file":"f9"`+x.more+`}`)
				require.Equal(t, strings.ReplaceAll(never, "f9", "f3"), c.correctionOf(x.tool, `{"file":"f3"`+x.more+`}`))
			}
			require.Len(t, e.refusals, len(fileTools), "each is reported once")
			require.Equal(t, "upload:a.txt upload:b.txt", listedNames(callAs[fileList](c, "list_files", `{}`)))
		})
	}

	// A run with shared data rejects a forged handle of another tenant's shared data.
	c := newSharedLibrary(t, &auditRecorder{})
	c.shared = sharedScope(t, "acme")
	root, err := c.bucket.In(sharedScope(t, "globex"))
	require.NoError(t, err)
	ref, err := root.Ref("terms0.txt")
	require.NoError(t, err)
	stored, err := json.Marshal(ref)
	require.NoError(t, err)
	require.NoError(t, c.state.UnmarshalJSON([]byte(`{"objecttools":{"files":[`+string(stored)+`]}}`)))
	for _, x := range fileTools {
		require.Contains(t, c.correctionOf(x.tool, `{"file":"f1"`+x.more+`}`), `unknown file "f1"`)
	}
}
