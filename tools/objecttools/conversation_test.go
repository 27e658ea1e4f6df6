package objecttools

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tools"
)

const sessionID = "0190b2d4-7c3a-7e51-9b7e-1f2a3c4d5e6f"

// skipIfShort skips a test that takes a second or more.
func skipIfShort(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("slow")
	}
}

// conversation calls the tools like a run within a scope.
type conversation struct {
	t         testing.TB
	bucket    *object.Bucket
	scope     scope.Scope
	state     *tools.State
	tools     tools.Resolved
	maxResult int
	shared    scope.Scope // passed by the host, or zero
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

func startConversation(t testing.TB, b *object.Bucket, s scope.Scope, o *Options) *conversation {
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
	return &conversation{t: t, bucket: b, scope: s, state: st, tools: r, maxResult: most}
}

// newConversation starts a conversation within a session, in a new bucket.
func newConversation(t testing.TB, o *Options) *conversation {
	t.Helper()
	return startConversation(t, must.Get(object.New(object.NewMemory(), "b", nil)), sessionScope(t, "acme", "u1"), o)
}

func (c *conversation) putObject(name, content string) object.Ref {
	c.t.Helper()
	root, err := c.bucket.In(c.scope)
	require.NoError(c.t, err)
	ref, err := root.Ref(name)
	require.NoError(c.t, err)
	ref, _, err = root.Put(c.t.Context(), ref, bytes.NewReader([]byte(content)), &object.PutOptions{Overwrite: true})
	require.NoError(c.t, err)
	return ref
}

// storeFile stores a file and returns its handle.
func (c *conversation) storeFile(name, content string) string {
	c.t.Helper()
	c.putObject(name, content)
	for _, f := range callAs[fileList](c, "list_files", `{}`).Files {
		if f.Name == name {
			return f.File
		}
	}
	c.t.Fatalf("%s is not listed", name)
	return ""
}

func (c *conversation) callTool(tool string, args string) (tools.Result, error) {
	t, ok := c.tools.Lookup(tool)
	require.True(c.t, ok, tool)
	return t.Call(c.t.Context(), tools.NewCall(tools.CallOptions{Scope: c.scope, Shared: c.shared, Args: []byte(args), State: c.state}))
}

// callAs calls a tool that must succeed, decodes its result and checks that it does not exceed MaxResult.
func callAs[Out any](c *conversation, tool, args string) (out Out) {
	c.t.Helper()
	res, err := c.callTool(tool, args)
	require.NoError(c.t, err, "%s %s", tool, args)
	require.Len(c.t, res.Blocks, 1)
	require.NotEmpty(c.t, res.Summary)
	require.LessOrEqual(c.t, len(res.Blocks[0].JSON), c.maxResult, "%s %s: %.300s", tool, args, res.Blocks[0].JSON)
	d := json.NewDecoder(bytes.NewReader(res.Blocks[0].JSON))
	d.DisallowUnknownFields()
	require.NoError(c.t, d.Decode(&out))
	return out
}

// correctionOf calls a tool that must return a correction.
func (c *conversation) correctionOf(tool, args string) string {
	c.t.Helper()
	_, err := c.callTool(tool, args)
	e, ok := errors.AsType[*tools.CorrectionError](err)
	require.True(c.t, ok, "%s %s: %v", tool, args, err)
	return e.Message
}

func encodeArgs(t testing.TB, pairs ...any) string {
	t.Helper()
	m := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i].(string)] = pairs[i+1]
	}
	b, err := json.Marshal(m)
	require.NoError(t, err)
	return string(b)
}

func (c *conversation) newCall() *tools.Call {
	return tools.NewCall(tools.CallOptions{Scope: c.scope, State: c.state})
}
