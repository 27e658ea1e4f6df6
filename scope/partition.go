package scope

import (
	"fmt"
	"strconv"
	"strings"
)

// Partition returns the partition key of the scope's items. It is also the text
// form of a Scope for records: [ParsePartition] reads it. It does not contain the right
// to write. No item has the partition of the zero Scope.
func (s Scope) Partition() string {
	switch s.level {
	case TenantLevel:
		return "t#" + s.tenant
	case SharedLevel:
		return "t#" + s.tenant + "#shared"
	case UserLevel:
		return "t#" + s.tenant + "#u#" + s.user
	case SessionLevel:
		return "t#" + s.tenant + "#u#" + s.user + "#s#" + s.session
	}
	return "none"
}

// ParsePartition is the exact inverse of [Scope.Partition]. As with [ParseKey], the
// returned Scope says who owns the item, not that the caller may reach it or write to it.
func ParsePartition(p string) (Scope, error) {
	s, ok := parsePartition(p)
	if !ok {
		return Scope{}, newInvalidError("partition", p, "is not the partition of a scope")
	}
	return s, nil
}

func parsePartition(p string) (s Scope, ok bool) {
	rest, ok := strings.CutPrefix(p, "t#")
	if !ok {
		return s, false
	}
	tenant, rest, below := strings.Cut(rest, "#")
	if checkID(tenant) != "" {
		return s, false
	}
	s.tenant = tenant
	if !below {
		s.level = TenantLevel
		return s, true
	}
	if rest == "shared" {
		s.level = SharedLevel
		return s, true
	}
	rest, ok = strings.CutPrefix(rest, "u#")
	if !ok {
		return s, false
	}
	user, rest, below := strings.Cut(rest, "#")
	if checkID(user) != "" {
		return s, false
	}
	s.user = user
	if !below {
		s.level = UserLevel
		return s, true
	}
	session, ok := strings.CutPrefix(rest, "s#")
	if !ok || checkSession(session) != "" {
		return s, false
	}
	s.session, s.level = session, SessionLevel
	return s, true
}

// Index returns the index partition of a class of items, at the level of s or at
// a level above it. For example, a session's record can be listed under its user
// and under its tenant. To read that partition a caller needs a Scope of that
// level. A class follows the rules of ids; see [Tenant].
func (s Scope) Index(at Level, class string) (string, error) {
	if s.level == None {
		return "", newLevelError("index", None)
	}
	if reason := checkID(class); reason != "" {
		return "", newInvalidError("class", class, reason)
	}
	var up Scope
	switch {
	case at == s.level:
		up = s
	case at == TenantLevel:
		up = Scope{tenant: s.tenant, level: TenantLevel}
	case at == UserLevel && s.level == SessionLevel:
		up = Scope{tenant: s.tenant, user: s.user, level: UserLevel}
	default:
		return "", fmt.Errorf("%w: index at %s level of a %s scope", ErrLevel, at, s.level)
	}
	return up.Partition() + "#i#" + class, nil
}

// Shard returns a partition outside all scopes: the n-th shard of a named index
// that system work reads across scopes, such as records that are due. Shard panics
// if the name does not follow the rules of ids or n is negative; both are
// constants of the program.
func Shard(name string, n int) string {
	if reason := checkID(name); reason != "" || n < 0 {
		panic(fmt.Sprintf("scope: invalid Shard(%q, %d): need a name that is a valid id and n >= 0", name, n))
	}
	return "sys#" + name + "#" + strconv.Itoa(n)
}
