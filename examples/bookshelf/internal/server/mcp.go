package server

import (
	"context"
	"net/http"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/librarytools"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/oidc"
	"github.com/carrel-go/carrel/tools"
	"github.com/carrel-go/carrel/tools/approval"
	"github.com/carrel-go/carrel/tools/mcp"
)

// newMCPHandler returns the handler of /mcp: the tools of the chat, and the caller's accepted files as resources.
func (s *Server) newMCPHandler() (http.Handler, error) {
	set, err := librarytools.Tools(s.o.Library, s.o.Approvals)
	if err != nil {
		return nil, err
	}
	forReaders := set.Filter(func(spec tools.Spec) bool { return spec.Name != librarytools.ShareBook })
	byRole := tools.Dynamic(func(ctx context.Context, _ scope.Scope, _ *tools.State) (tools.Set, error) {
		if id, err := oidc.FromContext(ctx); err != nil || !isLibrarian(id) {
			return forReaders, err
		}
		return set, nil
	})
	h, err := mcp.Serve(byRole, &mcp.ServeOptions{
		Name: "bookshelf", Version: "v1",
		Instructions: "The books on a person's shelf in a library, and those that their colleagues share.",
		Objects:      s.o.Raw, Approvals: s.o.Approvals,
		Shared: func(ctx context.Context) scope.Scope {
			id, _ := oidc.FromContext(ctx)
			return id.Shared
		},
		// Librarians decide on the calls that they make, as in a chat.
		MayDecide: func(ctx context.Context, _ approval.Request) (string, bool) {
			id, err := oidc.FromContext(ctx)
			return id.User.UserID(), err == nil && isLibrarian(id)
		},
		Annotate: func(spec tools.Spec) *sdk.ToolAnnotations {
			isClosed := false
			return &sdk.ToolAnnotations{ReadOnlyHint: spec.Name != librarytools.ShareBook, OpenWorldHint: &isClosed}
		},
		AnyHost: true, // the Guard has checked it
		Logger:  s.o.Log,
	})
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if id, err := oidc.FromContext(r.Context()); err == nil && isLibrarian(id) {
			r = r.WithContext(librarytools.WithSharing(r.Context(), id.Shared))
		}
		h.ServeHTTP(w, r)
	}), nil
}
