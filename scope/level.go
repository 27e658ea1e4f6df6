package scope

import "strconv"

// Level is the width of a [Scope].
type Level int

// The levels. None is the level of the zero Scope, which denies everything.
const (
	None Level = iota
	TenantLevel
	SharedLevel
	UserLevel
	SessionLevel
)

// String returns "none", "tenant", "shared", "user" or "session".
func (l Level) String() string {
	switch l {
	case None:
		return "none"
	case TenantLevel:
		return "tenant"
	case SharedLevel:
		return "shared"
	case UserLevel:
		return "user"
	case SessionLevel:
		return "session"
	}
	return "Level(" + strconv.Itoa(int(l)) + ")"
}
