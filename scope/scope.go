package scope

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Scope is the data that an operation may touch: that of a tenant, of all its users
// together (shared), of one user or of one session. It is an immutable, comparable
// value and safe for concurrent use. It can be narrowed but never widened.
//
// A Scope also says whether its holder may write. [Scope.ReadOnly] removes that
// right, and no method restores it. The operator == compares the right too, so compare
// owners with [Scope.Contains].
//
// The zero Scope denies everything: it does not build keys, does not contain any
// scope, and no object or item can lie under its prefix or partition.
type Scope struct {
	tenant, user, session string
	level                 Level
	readOnly              bool
}

// Tenant returns the scope of a whole tenant. The id must match
// ^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$. Ids are compared byte by byte, so "A" and
// "a" are two tenants. For other ids see [EncodeID].
//
// Call Tenant only where the caller's identity has just been verified: code that
// passes it an unverified string can reach every tenant.
func Tenant(id string) (Scope, error) {
	if reason := checkID(id); reason != "" {
		return Scope{}, newInvalidError("tenant id", id, reason)
	}
	return Scope{tenant: id, level: TenantLevel}, nil
}

// User narrows a tenant to one of its users. The id follows the rules of [Tenant].
func (s Scope) User(id string) (Scope, error) {
	if s.level != TenantLevel {
		return Scope{}, newLevelError("user", s.level)
	}
	if reason := checkID(id); reason != "" {
		return Scope{}, newInvalidError("user id", id, reason)
	}
	return Scope{tenant: s.tenant, user: id, level: UserLevel, readOnly: s.readOnly}, nil
}

// Shared narrows a tenant to the data that all its users share. The result
// cannot be narrowed further.
func (s Scope) Shared() (Scope, error) {
	if s.level != TenantLevel {
		return Scope{}, newLevelError("shared", s.level)
	}
	return Scope{tenant: s.tenant, level: SharedLevel, readOnly: s.readOnly}, nil
}

// Session narrows a user to one of their sessions. The id must be a UUIDv7 (RFC
// 9562) in canonical form: 36 characters, lower-case.
func (s Scope) Session(id string) (Scope, error) {
	if s.level != UserLevel {
		return Scope{}, newLevelError("session", s.level)
	}
	if reason := checkSession(id); reason != "" {
		return Scope{}, newInvalidError("session id", id, reason)
	}
	return Scope{tenant: s.tenant, user: s.user, session: id, level: SessionLevel, readOnly: s.readOnly}, nil
}

// NewSession narrows a user to a session with a new id. Ids sort by the time at
// which they were made, strictly within one process; [Scope.Time] returns it.
// NewSession fails if the system's source of randomness fails.
func (s Scope) NewSession() (Scope, error) {
	if s.level != UserLevel {
		return Scope{}, newLevelError("session", s.level)
	}
	id, err := uuid.NewV7()
	if err != nil {
		return Scope{}, err
	}
	return Scope{tenant: s.tenant, user: s.user, session: id.String(), level: SessionLevel, readOnly: s.readOnly}, nil
}

// Level returns the level of s, which is [None] for the zero Scope.
func (s Scope) Level() Level { return s.level }

// Require returns nil if s has one of the given levels. Without arguments it
// accepts every level but [None]. Otherwise the error wraps [ErrDenied], and
// [ErrLevel] too unless s is the zero Scope.
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
// credentials opened with it, or with a scope narrowed from it, can read and
// return [ErrReadOnly] for every write.
func (s Scope) ReadOnly() Scope {
	s.readOnly = s.level != None // the zero Scope stays equal to Scope{}
	return s
}

// RequireWrite returns nil if the holder of s may write. Otherwise the error
// wraps [ErrDenied], and [ErrReadOnly] too unless s is the zero Scope.
func (s Scope) RequireWrite() error {
	if s.readOnly {
		return ErrReadOnly
	}
	return s.Require()
}

// Contains reports whether o is s or lies below s. It is false if s or o is the
// zero Scope. It ignores [Scope.ReadOnly].
func (s Scope) Contains(o Scope) bool {
	switch s.level {
	case TenantLevel:
		return o.tenant == s.tenant // a zero o has an empty tenant
	case UserLevel:
		return o.tenant == s.tenant && o.user == s.user
	case SharedLevel, SessionLevel: // nothing lies below
		return o.ReadOnly() == s.ReadOnly()
	}
	return false
}

// TenantID returns the tenant's id, for records and logs, or "" for the zero Scope.
func (s Scope) TenantID() string { return s.tenant }

// UserID returns the user's id, for records and logs, or "" if s does not name a user.
func (s Scope) UserID() string { return s.user }

// SessionID returns the session's id, for records and logs, or "" if s is not a session.
func (s Scope) SessionID() string { return s.session }

// Time returns when the session's id was made, in UTC with millisecond precision,
// or the zero Time if s is not a session.
func (s Scope) Time() time.Time {
	if s.level != SessionLevel {
		return time.Time{}
	}
	sec, nsec := uuid.MustParse(s.session).Time().UnixTime()
	return time.Unix(sec, nsec).UTC()
}

// String returns the scope's prefix, for logs, or "none" for the zero Scope.
func (s Scope) String() string {
	if s.level == None {
		return None.String()
	}
	return s.Prefix()
}

// LogValue implements [slog.LogValuer] with [Scope.String].
func (s Scope) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalJSON always returns an error, so that a Scope is never stored as "{}".
// Store [Scope.Partition] and read it with [ParsePartition].
func (s Scope) MarshalJSON() ([]byte, error) {
	return nil, errors.New("scope: a Scope cannot be marshaled to JSON: use Scope.Partition and ParsePartition")
}
