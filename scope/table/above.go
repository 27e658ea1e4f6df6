package table

import (
	"fmt"

	"github.com/carrel-go/carrel/scope"
)

// Above returns the view of the user or the tenant that below belongs to. It is for
// programs that count across the sessions of a user or a tenant, such as package
// admission. If below is read-only, so is the view.
//
// The level must be [scope.UserLevel] or [scope.TenantLevel], and below must lie at that
// level or under it. Otherwise Above returns [scope.ErrLevel], for example for the user
// of shared data.
func (s *System) Above(below scope.Scope, level scope.Level) (*View, error) {
	if s == nil || s.t == nil {
		return nil, newDeniedError("the System was not made by Table.System")
	}
	if err := below.Require(); err != nil {
		return nil, fmt.Errorf("table: above: %w", err)
	}
	above, err := scope.Tenant(below.TenantID())
	if err == nil && level == scope.UserLevel {
		above, err = above.User(below.UserID())
	}
	if err != nil || above.Level() != level || !above.Contains(below) {
		return nil, fmt.Errorf("table: above: %w", scope.ErrLevel)
	}
	if below.RequireWrite() != nil {
		above = above.ReadOnly()
	}
	return s.t.In(above)
}
