package librarytools

import (
	"context"

	"github.com/carrel-go/carrel/scope"
)

type sharingKey struct{}

// WithSharing returns a context in which share_book may write to the shared scope of a tenant. The caller of the run
// must have that right.
func WithSharing(ctx context.Context, shared scope.Scope) context.Context {
	return context.WithValue(ctx, sharingKey{}, shared)
}

// sharing returns the scope of WithSharing, or the zero Scope, which denies everything.
func sharing(ctx context.Context) scope.Scope {
	shared, _ := ctx.Value(sharingKey{}).(scope.Scope)
	return shared
}
