package scope

import "strings"

// Prefix returns what all keys of the scope begin with. It ends in "/", so
// that the prefix of tenant "a" is none of tenant "ab". The zero Scope's is
// one that no key has.
func (s Scope) Prefix() string {
	switch s.level {
	case TenantLevel:
		return "tenant=" + s.tenant + "/"
	case SharedLevel:
		return "tenant=" + s.tenant + "/shared/"
	case UserLevel:
		return "tenant=" + s.tenant + "/user=" + s.user + "/"
	case SessionLevel:
		return "tenant=" + s.tenant + "/user=" + s.user + "/uploads/" + s.session + "/"
	}
	return "none/"
}

// Key returns the S3 key of a file of the scope. A tenant has no files of its
// own (they are its users', or shared): there, and at the zero Scope, Key
// returns an error.
//
// The name is one path segment: valid UTF-8 in normal form C, at most 255
// bytes, without separators, % ? #, control, bidi, zero-width or other
// invisible characters, without a space or dot at either end, not a device
// name of Windows, and with no character that compatibility normalisation
// (NFKC) turns into a dot or a separator. "uploads" is reserved at user level.
// A key is at most 442 bytes long; S3 allows 1,024.
func (s Scope) Key(name string) (string, error) {
	if s.level == None || s.level == TenantLevel {
		return "", levelError("key", s.level)
	}
	if reason := checkName(name); reason != "" {
		return "", invalid("file name", name, reason)
	}
	switch s.level {
	case SharedLevel:
		return "tenant=" + s.tenant + "/shared/" + name, nil
	case UserLevel:
		if name == uploads {
			return "", invalid("file name", name, "is reserved")
		}
		return "tenant=" + s.tenant + "/user=" + s.user + "/" + name, nil
	default:
		return "tenant=" + s.tenant + "/user=" + s.user + "/uploads/" + s.session + "/" + name, nil
	}
}

// ParseKey is the exact inverse of [Scope.Key]: it returns the scope and the
// name that make the key, and an error for every string that Key can't
// return. It decodes nothing: a key from an S3 event is to be decoded once,
// by the rules of that event, before.
//
// The Scope it returns says whose the object is, not that the caller may have
// it: check with [Scope.Contains] of a scope that the caller holds.
func ParseKey(key string) (Scope, string, error) {
	s, name, reason := parseKey(key)
	if reason != "" {
		return Scope{}, "", invalid("key", key, reason)
	}
	return s, name, nil
}

func parseKey(key string) (s Scope, name, reason string) {
	const outside = "is not in the layout of a scope"
	rest, ok := strings.CutPrefix(key, "tenant=")
	if !ok {
		return s, "", outside
	}
	tenant, rest, ok := strings.Cut(rest, "/")
	if !ok || checkID(tenant) != "" {
		return s, "", outside
	}
	s.tenant = tenant
	if name, ok = strings.CutPrefix(rest, "shared/"); ok {
		s.level = SharedLevel
		return s, name, checkName(name)
	}
	rest, ok = strings.CutPrefix(rest, "user=")
	if !ok {
		return s, "", outside
	}
	user, rest, ok := strings.Cut(rest, "/")
	if !ok || checkID(user) != "" {
		return s, "", outside
	}
	s.user = user
	if below, ok := strings.CutPrefix(rest, uploads+"/"); ok {
		session, name, ok := strings.Cut(below, "/")
		if !ok || checkSession(session) != "" {
			return s, "", outside
		}
		s.session, s.level = session, SessionLevel
		return s, name, checkName(name)
	}
	if rest == uploads {
		return s, "", "is a reserved name"
	}
	s.level = UserLevel
	return s, rest, checkName(rest)
}
