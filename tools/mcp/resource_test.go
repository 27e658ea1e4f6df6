package mcp_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/oidc"
	"github.com/carrel-go/carrel/tools"
	"github.com/carrel-go/carrel/tools/mcp"
)

func put(t *testing.T, b *object.Bucket, s scope.Scope, name, body, mediaType string) object.Ref {
	t.Helper()
	root := must.Get(b.In(s))
	ref, _, err := root.Put(t.Context(), must.Get(root.Ref(name)), strings.NewReader(body), &object.PutOptions{Type: mediaType})
	require.NoError(t, err)
	return ref
}

func callerShared(ctx context.Context) scope.Scope {
	id, _ := oidc.FromContext(ctx)
	return id.Shared
}

func listURIs(t *testing.T, session *sdk.ClientSession) (uris []string) {
	t.Helper()
	for r, err := range session.Resources(t.Context(), nil) {
		require.NoError(t, err)
		uris = append(uris, r.URI)
	}
	return uris
}

func TestResourcesAreTheCallersObjects(t *testing.T) {
	t.Parallel()
	bucket := must.Get(object.New(object.NewMemory(), "carrel-raw", nil))
	w := newWorld(t, tools.Set{}, &mcp.ServeOptions{Objects: bucket, Shared: callerShared, MaxResource: 100})
	u1, u2, foreign := userScope(t, "acme", "u1"), userScope(t, "acme", "u2"), userScope(t, "globex", "u1")
	session := must.Get(u1.NewSession())
	other := must.Get(u2.NewSession())
	shared := must.Get(must.Get(scope.Tenant("acme")).Shared())
	put(t, bucket, u1, "a b+é.txt", "own", "text/plain")
	put(t, bucket, session, "metadata.json", `{"title":"Emma"}`, "application/json")
	put(t, bucket, shared, "list.csv", "a,b", "text/csv")
	put(t, bucket, u1, "photo.png", "\x89PNG\x00", "image/png")
	put(t, bucket, u1, "empty", "", "")
	put(t, bucket, u1, "large", strings.Repeat("x", 101), "")
	put(t, bucket, u2, "secret.txt", "of u2", "")
	put(t, bucket, other, "secret.txt", "of u2", "")
	put(t, bucket, foreign, "secret.txt", "of globex", "")

	client := w.connect(w.token("acme", "u1"), nil)
	uri := "object://session/" + session.SessionID() + "/metadata.json"
	require.Equal(t, []string{
		"object://own/a%20b+%C3%A9.txt", "object://own/empty", "object://own/large", "object://own/photo.png", uri, "object://shared/list.csv",
	}, listURIs(t, client))
	require.Equal(t, []string{"object://own/secret.txt"}, listURIs(t, w.connect(w.token("globex", "u1"), nil)))

	for uri, want := range map[string]sdk.ResourceContents{
		"object://own/a%20b+%C3%A9.txt": {MIMEType: "text/plain", Text: "own"},
		uri:                             {MIMEType: "application/json", Text: `{"title":"Emma"}`},
		"object://shared/list.csv":      {MIMEType: "text/csv", Text: "a,b"},
		"object://own/photo.png":        {MIMEType: "image/png", Blob: []byte("\x89PNG\x00")},
		"object://own/empty":            {MIMEType: "application/octet-stream", Blob: []byte{}},
	} {
		res, err := client.ReadResource(t.Context(), &sdk.ReadResourceParams{URI: uri})
		require.NoError(t, err, uri)
		want.URI = uri
		require.Equal(t, []*sdk.ResourceContents{&want}, res.Contents)
		require.Equal(t, "private", res.CacheScope)
	}
	_, err := client.ReadResource(t.Context(), &sdk.ReadResourceParams{URI: "object://own/large"})
	require.ErrorContains(t, err, "The resource has 101 bytes, and at most 100 can be read.")

	// A missing object, another caller's and an invalid URI have one answer.
	for _, uri := range []string{
		"object://own/missing", "object://own/secret.txt", "object://shared/secret.txt",
		"object://session/" + other.SessionID() + "/secret.txt", "object://session/" + strings.ToUpper(session.SessionID()) + "/metadata.json",
		"object://own/tenant=globex/user=u1/secret.txt", "object://own/../u2/secret.txt", "object://own/..%2Fu2%2Fsecret.txt",
		"object://own/%61%20b+%C3%A9.txt", "object://own/a b+é.txt", "object://own/photo.png?x", "object://own/photo.png#x",
		"object://own/", "object://own", "object://", "object://uploads/" + session.SessionID() + "/metadata.json",
		"object://tenant=globex/user=u1/secret.txt", "object://own/%zz", "OBJECT://own/photo.png", "file:///etc/passwd",
	} {
		_, err := client.ReadResource(t.Context(), &sdk.ReadResourceParams{URI: uri})
		require.ErrorContains(t, err, "Resource not found", uri)
	}
}

// A URI that the SDK's client does not send still gets an answer, whether the server has resources or not.
func TestResourceURIsMayHoldAnything(t *testing.T) {
	t.Parallel()
	caller := userScope(t, "acme", "u1")
	for _, o := range []*mcp.ServeOptions{nil, {Objects: must.Get(object.New(object.NewMemory(), "carrel-raw", nil))}} {
		h := must.Get(mcp.Serve(tools.Set{}, o))
		for _, uri := range []string{`object://own/\u0000\u202e`, `x\u0001\u007f\ufffd`, `\ud800`} {
			body := post(h, `{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"`+uri+`"}}`, &caller).Body.String()
			require.Contains(t, body, `"error":`, uri)
		}
	}
}

func TestResourcesArePaged(t *testing.T) {
	t.Parallel()
	bucket := must.Get(object.New(object.NewMemory(), "carrel-raw", nil))
	w := newWorld(t, tools.Set{}, &mcp.ServeOptions{
		Objects: bucket, Shared: callerShared, Features: func(s *sdk.Server) {
			s.AddResource(&sdk.Resource{URI: "help://start", Name: "start"}, nil)
		},
	})
	u1 := userScope(t, "acme", "u1")
	var want []string
	for i := range 250 {
		name := fmt.Sprintf("f%03d", i)
		put(t, bucket, u1, name, "x", "")
		want = append(want, "object://own/"+name)
	}
	put(t, bucket, userScope(t, "acme", "u2"), "secret", "x", "")
	shared := must.Get(must.Get(scope.Tenant("acme")).Shared())
	for i := range 120 {
		name := fmt.Sprintf("s%03d", i)
		put(t, bucket, shared, name, "x", "")
		want = append(want, "object://shared/"+name)
	}
	client := w.connect(w.token("acme", "u1"), nil)
	require.Equal(t, append(slices.Clone(want), "help://start"), listURIs(t, client))

	// A cursor of another caller continues the list of the one who sends it.
	page, err := client.ListResources(t.Context(), nil)
	require.NoError(t, err)
	require.Len(t, page.Resources, 100)
	foreign, err := w.connect(w.token("acme", "u2"), nil).ListResources(t.Context(), &sdk.ListResourcesParams{Cursor: page.NextCursor})
	require.NoError(t, err)
	require.Equal(t, "object://own/secret", foreign.Resources[0].URI)

	encode := func(s string) string { return "object:" + base64.RawURLEncoding.EncodeToString([]byte(s)) }
	for _, cursor := range []string{
		"object:", "object:%%", encode(""), encode("object://own/"), encode("object://own/a/b"), encode("tenant=globex/"), page.NextCursor + "=", "junk",
	} {
		_, err := client.ListResources(t.Context(), &sdk.ListResourcesParams{Cursor: cursor})
		require.Error(t, err, cursor)
	}
}

func TestResultsKeepTheirForm(t *testing.T) {
	t.Parallel()
	bucket := must.Get(object.New(object.NewMemory(), "carrel-raw", nil))
	own := put(t, bucket, userScope(t, "acme", "u1"), "cover.png", "x", "image/png")
	foreign := put(t, bucket, userScope(t, "globex", "u1"), "cover.png", "x", "image/png")
	results := map[string]tools.Result{
		"object":  {Blocks: []tools.Block{{JSON: []byte(`{"title":"<Emma>"}`)}}},
		"array":   {Blocks: []tools.Block{{JSON: []byte(` [1]`)}}},
		"two":     {Blocks: []tools.Block{{JSON: []byte(`{}`)}, {JSON: []byte(`{}`)}}},
		"mixed":   {Blocks: []tools.Block{{Text: "a"}, {JSON: []byte(`{"b":1}`)}}, IsError: true},
		"empty":   {},
		"large":   {Blocks: []tools.Block{{Text: strings.Repeat("x", 1001)}}},
		"image":   {Blocks: []tools.Block{{Image: &tools.Media{Format: "png", Bytes: []byte("\x89PNG")}}}},
		"pdf":     {Blocks: []tools.Block{{Document: &tools.Media{Format: "pdf", Bytes: []byte("%PDF")}}}},
		"own":     {Blocks: []tools.Block{{Image: &tools.Media{Format: "png", Object: own}}}},
		"foreign": {Blocks: []tools.Block{{Image: &tools.Media{Format: "png", Object: foreign}}}},
	}
	type in struct {
		Name string `json:"name"`
	}
	set := tools.Of(newTool(t, "get", func(_ context.Context, _ *tools.Call, in in) (tools.Result, error) { return results[in.Name], nil }))
	w := newWorld(t, set, &mcp.ServeOptions{Objects: bucket, MaxResult: 1000})
	session := w.connect(w.token("acme", "u1"), nil)
	get := func(name string) *sdk.CallToolResult {
		res, err := session.CallTool(t.Context(), &sdk.CallToolParams{Name: "get", Arguments: in{name}})
		require.NoError(t, err, name)
		return res
	}
	require.Equal(t, map[string]any{"title": "<Emma>"}, get("object").StructuredContent)
	require.JSONEq(t, `{"title":"<Emma>"}`, text(t, get("object")))
	require.Equal(t, []any{1.0}, get("array").StructuredContent)
	require.Nil(t, get("two").StructuredContent)
	require.Equal(t, map[string]any{"b": 1.0}, get("mixed").StructuredContent)
	require.True(t, get("mixed").IsError)
	require.Empty(t, get("empty").Content)
	require.Equal(t, "The result has 1001 bytes, and at most 1000 can be sent. Ask for less.", text(t, get("large")))
	require.True(t, get("large").IsError)
	require.Equal(t, &sdk.ImageContent{MIMEType: "image/png", Data: []byte("\x89PNG")}, get("image").Content[0])
	require.Equal(t, &sdk.ResourceContents{URI: "result://0.pdf", MIMEType: "application/pdf", Blob: []byte("%PDF")},
		get("pdf").Content[0].(*sdk.EmbeddedResource).Resource)
	link := get("own").Content[0].(*sdk.ResourceLink)
	require.Equal(t, "object://own/cover.png", link.URI)
	_, err := session.ReadResource(t.Context(), &sdk.ReadResourceParams{URI: link.URI})
	require.NoError(t, err)
	require.Equal(t, "The tool has returned an object that cannot be sent.", text(t, get("foreign")))

	// Versions before 2026-07-28 know structured content that is an object only.
	caller := userScope(t, "acme", "u1")
	h := must.Get(mcp.Serve(set, nil))
	for name, structured := range map[string]bool{"object": true, "array": false} {
		body := post(h, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get","arguments":{"name":"`+name+`"}}}`, &caller).Body.String()
		require.Equal(t, structured, strings.Contains(body, "structuredContent"), body)
		require.NotContains(t, body, "resultType")
	}
}

func TestProgressIsSentToTheClientThatAsks(t *testing.T) {
	t.Parallel()
	report := func(_ context.Context, c *tools.Call, _ none) (string, error) {
		for _, v := range []any{
			map[string]any{"progress": 1, "total": 4, "message": "one"}, make(chan int), // not JSON
		} {
			c.Progress(v)
		}
		return "done", nil
	}
	w := newWorld(t, tools.Of(newTool(t, "report", report)), nil)
	got := make(chan *sdk.ProgressNotificationParams, 10)
	session := w.connect(w.token("acme", "u1"), &sdk.ClientOptions{
		ProgressNotificationHandler: func(_ context.Context, r *sdk.ProgressNotificationClientRequest) { got <- r.Params },
	})
	p := &sdk.CallToolParams{Name: "report"}
	p.SetProgressToken("t1")
	_, err := session.CallTool(t.Context(), p)
	require.NoError(t, err)
	n := <-got
	require.Equal(t, []any{"t1", 1.0, 4.0, "one"}, []any{n.ProgressToken, n.Progress, n.Total, n.Message})
	_, err = session.CallTool(t.Context(), &sdk.CallToolParams{Name: "report"})
	require.NoError(t, err)
	require.Empty(t, got)
}
