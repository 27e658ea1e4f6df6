package mcp

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tools"
	"github.com/carrel-go/carrel/tools/approval"
)

// ServeOptions configures [Serve]. A nil *ServeOptions is valid.
type ServeOptions struct {
	// Name and Version tell clients which server this is. Default: carrel, v0.
	Name, Version string
	// Instructions tell the client's model when to use the tools. They are the same for all callers.
	Instructions string

	// Shared returns the shared scope that a call may read: see [tools.CallOptions]. If nil, calls cannot read shared
	// data. With package oidc it is usually the Shared of the caller's Identity.
	Shared func(context.Context) scope.Scope

	// Objects is the bucket whose objects are the caller's resources. If nil, resources are not offered.
	Objects *object.Bucket

	// Approvals holds the requests of tools with [approval.Approvals.Require], and must be the one that they use. If
	// nil, a call that needs an approval fails.
	Approvals *approval.Approvals
	// MayDecide reports whether the caller may decide r through MCP, and the name for the record ([approval.Decision.By]).
	// The answer comes from the caller's client: a program that holds the token can give it without asking a person. If
	// nil, the client's answers decide nothing, and a call waits until the request is decided elsewhere.
	MayDecide func(ctx context.Context, r approval.Request) (by string, ok bool)

	// Annotate returns hints about a tool for clients, such as that it only reads, or nil. If nil, tools do not have
	// hints.
	Annotate func(tools.Spec) *sdk.ToolAnnotations
	// Features, if non-nil, adds to the server what carrel does not have, such as prompts. It is called once. The
	// functions that it adds run with the caller's scope in their context. A tool of the Set hides an added tool of the
	// same name.
	Features func(*sdk.Server)

	// Timeout limits each request. Default: 1 minute.
	Timeout time.Duration
	// MaxBody is the largest body of a request, MaxResult the largest result of a call, and MaxResource the largest object
	// that can be read as a resource, in bytes. Defaults: 1 MiB, 1 MiB and 4 MiB.
	MaxBody, MaxResult, MaxResource int64
	// UserCalls and TenantCalls are the most requests in flight of a user and of a tenant. Further ones are answered with
	// 429. Defaults: 16 and 64.
	UserCalls, TenantCalls int

	// AnyHost accepts every Host name on a loopback address. By default such a request must have the name of a loopback
	// host, which keeps pages elsewhere on the web from reaching a server on this machine by DNS rebinding.
	AnyHost bool

	// Logger receives the causes of failures, which clients do not see. If nil, nothing is logged.
	Logger *slog.Logger
}

// Serve returns a handler that serves the tools of set over streamable HTTP.
//
// The context of each request must carry the caller's scope: wrap the handler in the middleware of a verifier (package
// oidc), or in one that calls [scope.NewContext]. A request without a scope is answered with 401. The set is resolved
// for each request with that context, so the function of a [tools.Dynamic] set can choose tools by the caller's roles.
//
// Serve returns an error if the set or an option is invalid.
func Serve(set tools.Set, o *ServeOptions) (http.Handler, error) {
	if err := set.Err(); err != nil {
		return nil, fmt.Errorf("mcp: serve: %w", err)
	}
	s := &server{set: set, o: o.withDefaults()}
	if s.o.Timeout < 0 || min(s.o.MaxBody, s.o.MaxResult, s.o.MaxResource) < 0 || min(s.o.UserCalls, s.o.TenantCalls) < 0 {
		return nil, errors.New("mcp: serve: invalid negative limit")
	}
	if s.o.MayDecide != nil && s.o.Approvals == nil {
		return nil, errors.New("mcp: serve: MayDecide needs Approvals")
	}
	// The SDK does not export the field that distinguishes these results, but reads it.
	if err := errors.Join(
		json.Unmarshal([]byte(`{"resultType":"complete","content":[]}`), &s.complete),
		json.Unmarshal([]byte(`{"resultType":"input_required","content":[]}`), &s.inputRequired),
		json.Unmarshal([]byte(`{"resultType":"complete","contents":[]}`), &s.completeRead),
	); err != nil {
		return nil, fmt.Errorf("mcp: serve: %w", err)
	}
	s.sdk = sdk.NewServer(&sdk.Implementation{Name: s.o.Name, Version: s.o.Version}, &sdk.ServerOptions{
		Instructions: s.o.Instructions,
		Capabilities: s.capabilities(),
		SetCacheable: func(_ context.Context, _ sdk.Request, c *sdk.Cacheable) { c.CacheScope = private },
	})
	if s.o.Features != nil {
		s.o.Features(s.sdk)
	}
	s.sdk.AddReceivingMiddleware(s.handle)
	return &handler{
		server: s, patience: slowClient,
		gate: gate{users: s.o.UserCalls, tenants: s.o.TenantCalls, inFlight: map[scope.Scope]int{}},
		transport: sdk.NewStreamableHTTPHandler(func(*http.Request) *sdk.Server { return s.sdk }, &sdk.StreamableHTTPOptions{
			Stateless: true, PropagateRequestCancellation: true, MaxRequestBodyBytes: -1, // handler limits it
			DisableLocalhostProtection: s.o.AnyHost,
		}),
	}, nil
}

// private is the cache scope of results that are for one caller.
const private = "private"

func (o *ServeOptions) withDefaults() ServeOptions {
	if o == nil {
		o = &ServeOptions{}
	}
	s := *o
	s.Name, s.Version = cmp.Or(s.Name, "carrel"), cmp.Or(s.Version, "v0")
	s.Timeout = cmp.Or(s.Timeout, time.Minute)
	s.MaxBody = cmp.Or(s.MaxBody, 1<<20)
	s.MaxResult, s.MaxResource = cmp.Or(s.MaxResult, 1<<20), cmp.Or(s.MaxResource, 4<<20)
	s.UserCalls, s.TenantCalls = cmp.Or(s.UserCalls, 16), cmp.Or(s.TenantCalls, 64)
	if s.Logger == nil {
		s.Logger = slog.New(slog.DiscardHandler)
	}
	return s
}

// server answers the methods of the protocol.
type server struct {
	o   ServeOptions
	set tools.Set
	sdk *sdk.Server

	// Empty results of protocol versions that distinguish them.
	complete, inputRequired sdk.CallToolResult
	completeRead            sdk.ReadResourceResult
}

func (s *server) capabilities() *sdk.ServerCapabilities {
	c := &sdk.ServerCapabilities{Tools: &sdk.ToolCapabilities{}}
	if s.o.Objects != nil {
		c.Resources = &sdk.ResourceCapabilities{}
	}
	return c
}
