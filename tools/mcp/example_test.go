package mcp_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/oidc"
	"github.com/carrel-go/carrel/scope/oidc/oidctest"
	"github.com/carrel-go/carrel/tools"
	"github.com/carrel-go/carrel/tools/mcp"
)

// Two callers with tokens of two tenants call the same tool.
func ExampleServe() {
	ctx := context.Background()
	issuer := must.Get(oidctest.New(nil))
	defer issuer.Close()
	verifier := must.Get(oidc.New(ctx, issuer.URL(), issuer.ClientID(), nil))
	defer verifier.Close()

	type in struct {
		Title string `json:"title" jsonschema:"the title, as printed"`
	}
	find := tools.Must(tools.New("find_book", "Finds a book in the caller's own catalogue.",
		func(_ context.Context, c *tools.Call, in in) (string, error) {
			return fmt.Sprintf("%s, in the catalogue of %s", in.Title, c.Scope().TenantID()), nil
		}))
	h, err := mcp.Serve(tools.Of(find), &mcp.ServeOptions{Name: "bookshelf", Version: "v1"})
	if err != nil {
		panic(err)
	}
	srv := httptest.NewServer(verifier.Middleware(h))
	defer srv.Close()

	for _, tenant := range []string{"acme", "globex"} {
		token := must.Get(issuer.Token(map[string]any{"custom:tenant_id": tenant, "sub": "u1"}))
		client := sdk.NewClient(&sdk.Implementation{Name: "example", Version: "v1"}, nil)
		session, err := client.Connect(ctx, &sdk.StreamableClientTransport{
			Endpoint: srv.URL, HTTPClient: &http.Client{Transport: bearer{token}},
		}, nil)
		if err != nil {
			panic(err)
		}
		res, err := session.CallTool(ctx, &sdk.CallToolParams{Name: "find_book", Arguments: map[string]any{"title": "Emma"}})
		if err != nil {
			panic(err)
		}
		fmt.Println(res.Content[0].(*sdk.TextContent).Text)
		_ = session.Close()
	}
	// Output:
	// Emma, in the catalogue of acme
	// Emma, in the catalogue of globex
}

// The tools of a server become local ones, under a prefix.
func ExampleImport() {
	ctx := context.Background()
	weather := sdk.NewServer(&sdk.Implementation{Name: "weather", Version: "v1"}, nil)
	type in struct {
		City string `json:"city"`
	}
	sdk.AddTool(weather, &sdk.Tool{Name: "forecast", Description: "Says what the weather will be."},
		func(_ context.Context, _ *sdk.CallToolRequest, in in) (*sdk.CallToolResult, any, error) {
			return &sdk.CallToolResult{Content: []sdk.Content{&sdk.TextContent{Text: "sunny in " + in.City}}}, nil, nil
		})
	srv := httptest.NewServer(sdk.NewStreamableHTTPHandler(func(*http.Request) *sdk.Server { return weather },
		&sdk.StreamableHTTPOptions{Stateless: true}))
	defer srv.Close()

	remote, err := mcp.Import(ctx, srv.URL, &mcp.ImportOptions{Name: "weather", Prefix: "weather_"})
	if err != nil {
		panic(err)
	}
	defer remote.Close()
	acme := must.Get(scope.Tenant("acme"))
	set := must.Get(remote.Tools().Resolve(ctx, acme, nil))
	tool, _ := set.Lookup("weather_forecast")
	res, err := tool.Call(ctx, tools.NewCall(tools.CallOptions{Scope: acme, Args: []byte(`{"city":"Bonn"}`)}))
	fmt.Println(string(res.Blocks[0].JSON), err)
	// Output: {"server":"weather","text":["sunny in Bonn"]} <nil>
}
