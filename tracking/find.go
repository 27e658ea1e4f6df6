package tracking

import (
	"context"
	"errors"

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
	session, err := t.find(ctx, userOrTenant, id)
	if err != nil {
		return Record{}, opError("find", err)
	}
	view, err := t.view(session)
	if err != nil {
		return Record{}, opError("find", err)
	}
	r, err := t.read(ctx, view)
	return r, opError("find", err)
}

func (t *Tracker) find(ctx context.Context, s scope.Scope, id string) (scope.Scope, error) {
	view, slot, err := t.index(s)
	if err != nil {
		return scope.Scope{}, err
	}
	session, ok := sessionID(s, id)
	if !ok {
		return scope.Scope{}, ErrNotFound
	}
	if s.Level() == scope.UserLevel {
		return session, nil
	}
	for _, class := range []Class{Active, Failed, Success, Active, Failed, Success} {
		q := table.Query{Slot: slot, Class: string(class), From: id, To: id + "-"}
		rows, next, err := scan(ctx, view, q, "", 1)
		switch {
		case err != nil:
			return scope.Scope{}, err
		case len(rows) > 0:
			return rows[0].Scope, nil
		case next != "":
			return scope.Scope{}, errors.New("too many rows of other scopes in the index, at this id")
		}
	}
	return scope.Scope{}, ErrNotFound
}

// sessionID reports whether id is a session id at all, and returns the session
// of a user's. Of a tenant's, whose user is not known, the Scope is none.
func sessionID(s scope.Scope, id string) (scope.Scope, bool) {
	if s.Level() == scope.UserLevel {
		session, err := s.Session(id)
		return session, err == nil
	}
	anyone, err := s.User("anyone")
	if err != nil {
		return scope.Scope{}, false
	}
	_, err = anyone.Session(id)
	return scope.Scope{}, err == nil
}
