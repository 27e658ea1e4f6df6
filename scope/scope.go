package scope

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Scope is whose data an operation may touch: a tenant's, the part of it that
// its users share, one user's, or one session's. It is a value: comparable,
// immutable, safe for concurrent use. It can be narrowed and never widened.
//
// A Scope also says whether its holder may write. [Scope.ReadOnly] takes that
// right away, and nothing gives it back.
//
// The zero Scope denies everything: it makes no keys, contains nothing, and
// its prefix and partition are ones under which nothing can lie.
type Scope struct {
	tenant, user, session string
	level                 Level
	readOnly              bool
}

// Tenant returns the scope of a whole tenant. The id must match
// ^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$; ids are compared byte by byte, so "A" and
// "a" are two tenants. For ids outside that grammar see [EncodeID].
//
// Call it where the caller's identity has just been verified, and nowhere
// else: whoever can call it with a string from outside holds every tenant.
func Tenant(id string) (Scope, error) {
	if reason := checkID(id); reason != "" {
		return Scope{}, invalid("tenant id", id, reason)
	}
	return Scope{tenant: id, level: TenantLevel}, nil
}

// User narrows a tenant to one of its users. The id has the grammar of [Tenant]'s.
func (s Scope) User(id string) (Scope, error) {
	if s.level != TenantLevel {
		return Scope{}, levelError("user", s.level)
	}
	if reason := checkID(id); reason != "" {
		return Scope{}, invalid("user id", id, reason)
	}
	return Scope{tenant: s.tenant, user: id, level: UserLevel, readOnly: s.readOnly}, nil
}

// Shared narrows a tenant to the data that all its users share. It is a leaf:
// nothing lies below it.
func (s Scope) Shared() (Scope, error) {
	if s.level != TenantLevel {
		return Scope{}, levelError("shared", s.level)
	}
	return Scope{tenant: s.tenant, level: SharedLevel, readOnly: s.readOnly}, nil
}

// Session narrows a user to one of their sessions. The id is a UUIDv7 (RFC
// 9562) in its canonical form: 36 characters, lower-case.
func (s Scope) Session(id string) (Scope, error) {
	if s.level != UserLevel {
		return Scope{}, levelError("session", s.level)
	}
	if reason := checkSession(id); reason != "" {
		return Scope{}, invalid("session id", id, reason)
	}
	return Scope{tenant: s.tenant, user: s.user, session: id, level: SessionLevel, readOnly: s.readOnly}, nil
}

// NewSession narrows a user to a session with a fresh id. Ids sort by the time
// of their making, strictly so within a process, and carry it: see [Scope.Time].
// The error is that of the system's source of randomness.
func (s Scope) NewSession() (Scope, error) {
	if s.level != UserLevel {
		return Scope{}, levelError("session", s.level)
	}
	id, err := uuid.NewV7()
	if err != nil {
		return Scope{}, err
	}
	return Scope{tenant: s.tenant, user: s.user, session: id.String(), level: SessionLevel, readOnly: s.readOnly}, nil
}

// Level returns how narrow s is; [None] for the zero Scope.
func (s Scope) Level() Level { return s.level }

// Require returns nil if s is of one of the levels, or of any level but [None]
// if there are none. Otherwise it returns an error that wraps [ErrDenied], and
// [ErrLevel] if s is not the zero Scope.
func (s Scope) Require(levels ...Level) error {
	switch {
	case s.level == None:
		return fmt.Errorf("%w: the zero scope", ErrDenied)
	case len(levels) == 0 || slices.Contains(levels, s.level):
		return nil
	}
	names := make([]string, len(levels))
	for i, l := range levels {
		names[i] = l.String()
	}
	return fmt.Errorf("%w: a %s scope, want %s", ErrLevel, s.level, strings.Join(names, " or "))
}

// ReadOnly returns s without the right to write. Tables, buckets, signers and
// credentials that are opened with it read, and return [ErrReadOnly] for every
// write; so do those of the scopes that it is narrowed to.
func (s Scope) ReadOnly() Scope {
	s.readOnly = s.level != None // the zero Scope is one value
	return s
}

// RequireWrite returns nil if the holder of s may write. Otherwise it returns
// an error that wraps [ErrDenied], and [ErrReadOnly] if s is not the zero Scope.
func (s Scope) RequireWrite() error {
	if s.readOnly {
		return ErrReadOnly
	}
	return s.Require()
}

// Contains reports whether o is s or lies below it. The zero Scope contains
// nothing and lies in nothing. It compares whose data it is: the right to write
// makes no difference.
func (s Scope) Contains(o Scope) bool {
	switch s.level {
	case TenantLevel:
		return o.tenant == s.tenant // the zero Scope has none
	case UserLevel:
		return o.tenant == s.tenant && o.user == s.user
	case SharedLevel, SessionLevel:
		return o.ReadOnly() == s.ReadOnly()
	}
	return false
}

// TenantID returns the tenant's id, for records and logs; "" for the zero Scope.
func (s Scope) TenantID() string { return s.tenant }

// UserID returns the user's id, for records and logs; "" above a user.
func (s Scope) UserID() string { return s.user }

// SessionID returns the session's id, for records and logs; "" above a session.
func (s Scope) SessionID() string { return s.session }

// Time returns when the session's id was made, in UTC and to the millisecond;
// the zero Time above a session.
func (s Scope) Time() time.Time {
	if s.level != SessionLevel {
		return time.Time{}
	}
	// checkSession has passed: 48 bits of Unix milliseconds lead the id.
	var ms int64
	for i := range 13 {
		if i == 8 {
			continue // the dash
		}
		ms = ms<<4 | int64(unhex(s.session[i]))
	}
	return time.UnixMilli(ms).UTC()
}

// String returns the scope's prefix, for logs; "none" for the zero Scope.
func (s Scope) String() string {
	if s.level == None {
		return None.String()
	}
	return s.Prefix()
}
