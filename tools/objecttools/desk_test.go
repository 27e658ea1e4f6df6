package objecttools

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tools"
)

const sessionID = "0190b2d4-7c3a-7e51-9b7e-1f2a3c4d5e6f"

// conversation calls the tools as a run within a scope would.
type conversation struct {
	t      testing.TB
	bucket *object.Bucket
	scope  scope.Scope
	state  *tools.State
	tools  tools.Resolved
	most   int
	shared scope.Scope // that the host has given to the run, if it has
}

func userScope(t testing.TB, tenant, user string) scope.Scope {
	t.Helper()
	a, err := scope.Tenant(tenant)
	require.NoError(t, err)
	u, err := a.User(user)
	require.NoError(t, err)
	return u
}

func sessionScope(t testing.TB, tenant, user string) scope.Scope {
	t.Helper()
	s, err := userScope(t, tenant, user).Session(sessionID)
	require.NoError(t, err)
	return s
}

func converse(t testing.TB, b *object.Bucket, s scope.Scope, o *Options) *conversation {
	t.Helper()
	set, err := Set(b, o)
	require.NoError(t, err)
	st := &tools.State{}
	r, err := set.Resolve(t.Context(), s, st)
	require.NoError(t, err)
	most := defaultMaxResult
	if o != nil && o.MaxResult > 0 {
		most = o.MaxResult
	}
	return &conversation{t: t, bucket: b, scope: s, state: st, tools: r, most: most}
}

// desktop is a conversation within a session of a bucket of its own.
func desktop(t testing.TB, o *Options) *conversation {
	t.Helper()
	return converse(t, object.New(object.NewMemory(), "b", nil), sessionScope(t, "acme", "u1"), o)
}

func (c *conversation) put(name, content string) object.Ref {
	c.t.Helper()
	root, err := c.bucket.In(c.scope)
	require.NoError(c.t, err)
	ref, err := root.Ref(name)
	require.NoError(c.t, err)
	ref, _, err = root.Put(c.t.Context(), ref, bytes.NewReader([]byte(content)), &object.PutOptions{Overwrite: true})
	require.NoError(c.t, err)
	return ref
}

// file stores a file and gives its handle.
func (c *conversation) file(name, content string) string {
	c.t.Helper()
	c.put(name, content)
	for _, f := range get[fileList](c, "list_files", `{}`).Files {
		if f.Name == name {
			return f.File
		}
	}
	c.t.Fatalf("%s is not listed", name)
	return ""
}

func (c *conversation) raw(tool string, args string) (tools.Result, error) {
	t, ok := c.tools.Lookup(tool)
	require.True(c.t, ok, tool)
	return t.Call(c.t.Context(), tools.NewCall(tools.CallOptions{Scope: c.scope, Shared: c.shared, Args: []byte(args), State: c.state}))
}

// get calls a tool that must succeed, and holds its result to the cap.
func get[Out any](c *conversation, tool, args string) (out Out) {
	c.t.Helper()
	res, err := c.raw(tool, args)
	require.NoError(c.t, err, "%s %s", tool, args)
	require.Len(c.t, res.Blocks, 1)
	require.NotEmpty(c.t, res.Summary)
	require.LessOrEqual(c.t, len(res.Blocks[0].JSON), c.most, "%s %s: %.300s", tool, args, res.Blocks[0].JSON)
	d := json.NewDecoder(bytes.NewReader(res.Blocks[0].JSON))
	d.DisallowUnknownFields()
	require.NoError(c.t, d.Decode(&out))
	return out
}

// correction calls a tool that must ask for a correction.
func (c *conversation) correction(tool, args string) string {
	c.t.Helper()
	_, err := c.raw(tool, args)
	e, ok := errors.AsType[*tools.CorrectionError](err)
	require.True(c.t, ok, "%s %s: %v", tool, args, err)
	return e.Message
}

func args(t testing.TB, pairs ...any) string {
	t.Helper()
	m := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i].(string)] = pairs[i+1]
	}
	b, err := json.Marshal(m)
	require.NoError(t, err)
	return string(b)
}

func (c *conversation) call() *tools.Call {
	return tools.NewCall(tools.CallOptions{Scope: c.scope, State: c.state})
}
