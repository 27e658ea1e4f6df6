package admission

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/carrel-go/carrel/scope"
)

// grantTries is the number of places that the hash of a session's id names.
const grantTries = 4

// OpenGrant counts an upload grant of the session's user until CloseGrant or until it expires. It returns a
// *[FullError] if the user has as many open grants as allowed, and [ErrInvalid] unless expires is in the future.
//
// Opening a session again does not extend its grant, and may count it twice until CloseGrant. To replace a grant, call
// CloseGrant first.
//
// It costs one write if the user has few grants, and otherwise up to four more and a read.
func (a *Admission) OpenGrant(ctx context.Context, session scope.Scope, expires time.Time) error {
	p, err := a.grantPool(session)
	if err == nil {
		err = checkExpiry(expires)
	}
	if err != nil {
		return fmt.Errorf("admission: open grant: %w", err)
	}
	_, taken, err := p.takePlace(ctx, session.SessionID(), nil, expires, p.hashPlaces(session)...)
	if errors.Is(err, errFull) {
		next := time.Now().Add(time.Second)
		for i, it := range taken {
			if i == 0 || it.Expires.Before(next) {
				next = it.Expires
			}
		}
		return &FullError{Kind: "grants", Limit: int64(p.limit), RetryAfter: max(time.Second, time.Until(next))}
	}
	if err != nil {
		return fmt.Errorf("admission: open grant: %w", err)
	}
	return nil
}

// checkExpiry rejects the zero time, which a table takes for never, and times that have passed.
func checkExpiry(expires time.Time) error {
	if !expires.After(time.Now()) {
		return fmt.Errorf("%w: expiry %v: must be in the future", ErrInvalid, expires)
	}
	return nil
}

// CloseGrant ends the count of a session's grant, however often it was opened, for example because its upload has
// arrived. It does nothing if the grant is not open. It costs a query of the user's grants and a write.
func (a *Admission) CloseGrant(ctx context.Context, session scope.Scope) error {
	p, err := a.grantPool(session)
	if err == nil {
		err = p.closeGrant(ctx, session)
	}
	if err != nil {
		return fmt.Errorf("admission: close grant: %w", err)
	}
	return nil
}

func (p pool) closeGrant(ctx context.Context, session scope.Scope) error {
	taken, err := listPlaces(ctx, p.view, p.prefix)
	if err != nil {
		return err
	}
	for _, it := range taken {
		if it.Attr[ownerAttr] != session.SessionID() {
			continue
		}
		if err := freePlace(ctx, p.view, it); err != nil {
			return err
		}
	}
	return nil
}

// grantPool returns the places of the grants of the session's user.
func (a *Admission) grantPool(session scope.Scope) (pool, error) {
	view, err := a.openView(session, scope.UserLevel)
	return pool{view, "grant#", a.o.Grants}, err
}

// hashPlaces returns the places that the hash of the session's id names, possibly with duplicates.
func (p pool) hashPlaces(session scope.Scope) []int {
	sum := sha256.Sum256([]byte(session.SessionID()))
	places := make([]int, grantTries)
	for i := range places {
		places[i] = int(binary.BigEndian.Uint64(sum[8*i:]) % uint64(p.limit))
	}
	return places
}
