package scope

import (
	"context"
	"fmt"
)

type contextKey struct{}

// NewContext returns a context that carries s.
func NewContext(ctx context.Context, s Scope) context.Context {
	return context.WithValue(ctx, contextKey{}, s)
}

// FromContext returns the Scope that the context carries. It returns [ErrDenied]
// if the context does not carry a Scope, or carries the zero Scope.
func FromContext(ctx context.Context) (Scope, error) {
	s, _ := ctx.Value(contextKey{}).(Scope)
	if s.level == None {
		return Scope{}, fmt.Errorf("%w: no scope in the context", ErrDenied)
	}
	return s, nil
}
