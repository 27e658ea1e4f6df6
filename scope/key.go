package scope

import "strings"

// Prefix returns the prefix of all keys of the scope. It ends in "/", so that the
// keys of tenant "ab" do not have the prefix of tenant "a". No key has the prefix
// of the zero Scope.
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

// Key returns the S3 key of a file of the scope. Files belong to a user, to a
// session or to the shared data: Key returns an error for a tenant and for the
// zero Scope.
//
// The name must be a single path segment:
//   - 1 to 255 bytes of UTF-8 in Unicode normal form C;
//   - without / \ % ? # and without control, bidi, zero-width and other invisible
//     characters;
//   - without a space or a dot at either end;
//   - without a character that compatibility normalisation (NFKC) turns into a dot
//     or a separator;
//   - not a Windows device name such as "con.txt";
//   - not "uploads" at user level, where sessions lie.
//
// A key is at most 442 bytes long (S3 allows 1,024).
func (s Scope) Key(name string) (string, error) {
	if s.level == None || s.level == TenantLevel {
		return "", newLevelError("key", s.level)
	}
	if reason := checkName(name); reason != "" {
		return "", newInvalidError("file name", name, reason)
	}
	switch s.level {
	case SharedLevel:
		return "tenant=" + s.tenant + "/shared/" + name, nil
	case UserLevel:
		if name == uploads {
			return "", newInvalidError("file name", name, "is reserved")
		}
		return "tenant=" + s.tenant + "/user=" + s.user + "/" + name, nil
	default:
		return "tenant=" + s.tenant + "/user=" + s.user + "/uploads/" + s.session + "/" + name, nil
	}
}

// ParseKey is the exact inverse of [Scope.Key]: it returns the scope and the name
// of a key, and an error for every string that Key cannot return. It does not
// decode: decode the key of an S3 event once, by the rules of that event, before
// you call ParseKey.
//
// The returned Scope says who owns the object, not that the caller may reach it or
// write to it. Check it with [Scope.Contains] of a scope that the caller holds.
func ParseKey(key string) (Scope, string, error) {
	s, name, reason := parseKey(key)
	if reason != "" {
		return Scope{}, "", newInvalidError("key", key, reason)
	}
	return s, name, nil
}

func parseKey(key string) (s Scope, name, reason string) {
	const outside = "is not the key of a scope"
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
