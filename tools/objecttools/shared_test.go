package objecttools

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

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

// library is a session's conversation in a bucket in which two tenants share files of the same names.
func library(t *testing.T, e *ear) *conversation {
	b := object.New(object.NewMemory(), "b", &object.Options{Audit: e, PageSize: 2})
	for _, tenant := range []string{"acme", "globex"} {
		c := converse(t, b, sharedScope(t, tenant), nil)
		for i := range 3 {
			c.put(fmt.Sprintf("terms%d.txt", i), "the terms of "+tenant)
		}
	}
	c := converse(t, b, sessionScope(t, "acme", "u1"), nil)
	c.put("a.txt", "mine")
	c.put("b.txt", "mine too")
	return c
}

func names(l fileList) string {
	var all []string
	for _, f := range l.Files {
		all = append(all, f.Place+":"+f.Name)
	}
	return strings.Join(all, " ")
}

// A run that has been given the shared data lists and reads it after its own files, over any pages.
func TestSharedFiles(t *testing.T) {
	t.Parallel()
	var e ear
	c := library(t, &e)
	require.Equal(t, "upload:a.txt upload:b.txt", names(get[fileList](c, "list_files", `{}`)), "nothing is derived from the session")

	c.shared = sharedScope(t, "acme")
	const all = "upload:a.txt upload:b.txt shared:terms0.txt shared:terms1.txt shared:terms2.txt"
	require.Equal(t, all, names(get[fileList](c, "list_files", `{}`)))
	for limit := 1; limit <= 5; limit++ {
		var pages []string
		for cursor := ""; ; {
			l := get[fileList](c, "list_files", fmt.Sprintf(`{"limit":%d%s}`, limit, cursor))
			pages = append(pages, names(l))
			if l.Cursor == "" {
				break
			}
			cursor = fmt.Sprintf(`,"cursor":%q`, l.Cursor)
		}
		require.Equal(t, all, strings.TrimSpace(strings.Join(pages, " ")), "pages of %d", limit)
	}
	require.Equal(t, "the terms of acme", get[chunk](c, "read_chunk", `{"file":"f3"}`).Text)
	for _, x := range perFile {
		_, err := c.raw(x.tool, `{"file":"f3"`+x.more+`}`)
		require.NoError(t, err, x.tool)
	}
	require.Empty(t, e.heard)

	// A wider scope contains the shared data, and lists it once.
	tenant, err := scope.Tenant("acme")
	require.NoError(t, err)
	wide := converse(t, c.bucket, tenant, nil)
	wide.shared = c.shared
	require.Len(t, get[fileList](wide, "list_files", `{}`).Files, 5)
}

// What a run has not been given it does not read: with the handles and cursors of a run that has, without any shared
// scope, with another tenant's, and with a scope that is not of shared data.
func TestSharedFilesAreGiven(t *testing.T) {
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
			var e ear
			c := library(t, &e)
			other := converse(t, c.bucket, sessionScope(t, "acme", "u2"), nil)
			other.put("secret.txt", "of u2")
			c.shared = sharedScope(t, "acme")
			l := get[fileList](c, "list_files", `{"limit":3}`)
			require.Len(t, l.Files, 3)
			c.shared = shared
			require.Contains(t, c.correction("list_files", fmt.Sprintf(`{"cursor":%q}`, l.Cursor)), "cursor")
			e.heard = nil
			for _, x := range perFile {
				never := c.correction(x.tool, `{"file":"f9"`+x.more+`}`)
				require.Equal(t, strings.ReplaceAll(never, "f9", "f3"), c.correction(x.tool, `{"file":"f3"`+x.more+`}`))
			}
			require.Len(t, e.heard, len(perFile), "each is reported once")
			require.Equal(t, "upload:a.txt upload:b.txt", names(get[fileList](c, "list_files", `{}`)))
		})
	}

	// A forged handle of another tenant's shared data is none, in a run that may read its own.
	c := library(t, &ear{})
	c.shared = sharedScope(t, "acme")
	root, err := c.bucket.In(sharedScope(t, "globex"))
	require.NoError(t, err)
	ref, err := root.Ref("terms0.txt")
	require.NoError(t, err)
	stored, err := json.Marshal(ref)
	require.NoError(t, err)
	require.NoError(t, c.state.UnmarshalJSON([]byte(`{"objecttools":{"files":[`+string(stored)+`]}}`)))
	for _, x := range perFile {
		require.Contains(t, c.correction(x.tool, `{"file":"f1"`+x.more+`}`), `there is no file "f1"`)
	}
}
