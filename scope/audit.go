package scope

import (
	"context"
	"errors"
	"log/slog"
)

// Refusal describes a request that a package denied: an invalid name, a cursor of
// another query, a Ref of another scope, an unknown tool argument, a token that
// does not verify.
type Refusal struct {
	Scope Scope  // the caller's; the zero Scope if the caller is not known yet
	Op    string // package and operation, such as "object.ref" or "table.Query"
	Err   error  // the reason; it quotes untrusted values
}

// Auditor receives refusals. The package that refuses a request reports it once,
// before it returns the error to its caller. A request for something that does not
// exist is not reported.
//
// Refused is called concurrently and while a request waits, so it must return
// quickly. The context is the operation's and may have ended; for an operation
// without a context it is [context.Background].
type Auditor interface {
	Refused(ctx context.Context, r Refusal)
}

type logAuditor struct{ log *slog.Logger }

// NewLogAuditor returns an [Auditor] that logs each refusal at level Warn, with the
// attributes op, reason, level, tenant, user and session.
func NewLogAuditor(l *slog.Logger) (Auditor, error) {
	if l == nil {
		return nil, errors.New("scope: NewLogAuditor: the logger must not be nil")
	}
	return logAuditor{l}, nil
}

func (a logAuditor) Refused(ctx context.Context, r Refusal) {
	a.log.LogAttrs(ctx, slog.LevelWarn, "refused",
		slog.String("op", r.Op),
		slog.String("reason", r.Err.Error()),
		slog.String("level", r.Scope.Level().String()),
		slog.String("tenant", r.Scope.TenantID()),
		slog.String("user", r.Scope.UserID()),
		slog.String("session", r.Scope.SessionID()),
	)
}
