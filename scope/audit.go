package scope

import (
	"context"
	"log/slog"
)

// Refusal is something that was asked for and denied: a name that is no name,
// a cursor of another list, a Ref of another scope, an argument that no tool
// has, a token that does not verify.
type Refusal struct {
	Scope Scope  // who asked; the zero Scope where nobody was known yet
	Op    string // what was asked: the package and the operation, such as "object.Ref"
	Err   error  // why not; it quotes values from outside
}

// Auditor is told of refusals. Each is reported once, by the package that
// refused, before the caller gets its error; what merely does not exist is no
// refusal.
//
// Refused is called from many goroutines at once, on the path of the request:
// it returns quickly, and what it does with the Refusal is its own concern. The
// context is the operation's, and may have ended; where the operation has
// none it is [context.Background].
type Auditor interface {
	Refused(ctx context.Context, r Refusal)
}

// LogAuditor is an [Auditor] that logs each refusal at level Warn, with the
// attributes op, reason, level, tenant, user and session.
type LogAuditor struct{ log *slog.Logger }

// NewLogAuditor returns an Auditor on l, which must not be nil.
func NewLogAuditor(l *slog.Logger) *LogAuditor { return &LogAuditor{l} }

// Refused implements [Auditor].
func (a *LogAuditor) Refused(ctx context.Context, r Refusal) {
	a.log.LogAttrs(ctx, slog.LevelWarn, "refused",
		slog.String("op", r.Op),
		slog.String("reason", r.Err.Error()),
		slog.String("level", r.Scope.Level().String()),
		slog.String("tenant", r.Scope.TenantID()),
		slog.String("user", r.Scope.UserID()),
		slog.String("session", r.Scope.SessionID()),
	)
}
