package scope

import (
	"fmt"
	"strconv"
	"strings"
)

// Partition returns the partition key of the scope's items. It holds the
// whole tuple, since dynamodb:LeadingKeys sees the partition key alone. The
// zero Scope's is one that no item has.
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

// ParsePartition is the exact inverse of [Scope.Partition]. As with
// [ParseKey], the Scope says whose the item is, not that the caller may have it.
func ParsePartition(p string) (Scope, error) {
	s, ok := parsePartition(p)
	if !ok {
		return Scope{}, invalid("partition", p, "is not in the layout of a scope")
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

// Index returns the index partition of a class of items at s's own level or
// at one above it: a session's record is listed under its user and under its
// tenant. It is a string, so it widens nothing: who reads it needs a Scope of
// that level. Classes have the grammar of ids.
func (s Scope) Index(at Level, class string) (string, error) {
	if s.level == None {
		return "", levelError("index", None)
	}
	if reason := checkID(class); reason != "" {
		return "", invalid("class", class, reason)
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

// Shard returns a partition that belongs to no scope: the n-th of a named
// index that work across scopes reads, such as what is due. The name is a
// constant of the program in the grammar of ids and n is not negative: Shard
// panics otherwise.
func Shard(name string, n int) string {
	if reason := checkID(name); reason != "" || n < 0 {
		panic(fmt.Sprintf("scope: Shard(%q, %d): a name in the grammar of ids and n >= 0 are needed", name, n))
	}
	return "sys#" + name + "#" + strconv.Itoa(n)
}
