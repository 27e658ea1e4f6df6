package tracking

import (
	"context"
	"errors"
	"slices"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

// Find returns the record of a session id within a tenant, or within a user.
// It is for callers who do not know the user: a tenant's record is looked up
// in the index, in one query for each class, and then read. If it is not found,
// Find looks it up a second time, since its class may have changed meanwhile. A
// record that was made a moment ago may not be found.
//
// Find returns [ErrNotFound] if the id is not a session id, does not exist or
// belongs to another tenant. It returns another error if so many rows of other
// scopes were put at this id of the index that it stops looking.
func (t *Tracker) Find(ctx context.Context, userOrTenant scope.Scope, id string) (Record, error) {
	session, err := t.findSession(ctx, userOrTenant, id)
	if err != nil {
		return Record{}, opError("find", err)
	}
	_, r, err := t.readRecord(ctx, session)
	return r, opError("find", err)
}

func (t *Tracker) findSession(ctx context.Context, s scope.Scope, id string) (scope.Scope, error) {
	view, slot, err := t.indexView(s)
	if err != nil {
		return scope.Scope{}, err
	}
	session, ok := parseSessionID(s, id)
	if !ok {
		return scope.Scope{}, ErrNotFound
	}
	if s.Level() == scope.UserLevel {
		return session, nil
	}
	for _, class := range slices.Concat(allClasses, allClasses) {
		l := &lane{query: table.Query{Slot: slot, Class: string(class), From: id, To: id + "-"}}
		for l.canContinue() && len(l.rows) == 0 {
			if err := l.readPage(ctx, view, selection{}, 1); err != nil {
				return scope.Scope{}, err
			}
		}
		switch {
		case len(l.rows) > 0:
			return l.rows[0].Scope, nil
		case !l.ended:
			return scope.Scope{}, errors.New("too many rows of other scopes in the index, at this id")
		}
	}
	return scope.Scope{}, ErrNotFound
}

// parseSessionID reports whether id is a session id and, if s is a user's scope,
// returns the session. In a tenant's scope the user is unknown, so the session
// has a placeholder as its user.
func parseSessionID(s scope.Scope, id string) (scope.Scope, bool) {
	if s.Level() == scope.TenantLevel {
		s, _ = s.User("anyone")
	}
	session, err := s.Session(id)
	return session, err == nil
}
