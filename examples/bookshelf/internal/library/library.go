package library

import (
	"fmt"
	"log/slog"

	"github.com/carrel-go/carrel/admission"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tracking"
)

// Searches that one process makes at a time, and those of one tenant among them.
const (
	searches       = 8
	tenantSearches = 4
)

// Options configures a Library. Nil is valid.
type Options struct {
	// Log receives the notes of accepts whose book cannot be read any more. If nil, they are not reported.
	Log *slog.Logger
}

// Library holds the accepted books of all users. It is safe for concurrent use.
type Library struct {
	table        *table.Table
	raw, landing *object.Bucket
	tracker      *tracking.Tracker
	log          *slog.Logger
	searches     *admission.Fair
}

// New returns a Library whose rows are in t. Accepted metadata, corrections and shared copies are in raw, photos in
// landing, and tracker has the records of the uploads.
func New(t *table.Table, raw, landing *object.Bucket, tracker *tracking.Tracker, o *Options) (*Library, error) {
	if t == nil || raw == nil || landing == nil || tracker == nil {
		return nil, fmt.Errorf("%w: table, buckets and tracker must not be nil", ErrInvalid)
	}
	fair, err := admission.NewFair(searches, tenantSearches)
	if err != nil {
		return nil, fmt.Errorf("library: %w", err)
	}
	s := &Library{table: t, raw: raw, landing: landing, tracker: tracker, log: slog.New(slog.DiscardHandler),
		searches: fair}
	if o != nil && o.Log != nil {
		s.log = o.Log
	}
	return s, nil
}

// View is what one user sees: their own books, and those that their tenant shares. It is safe for concurrent use.
type View struct {
	library *Library
	own     *table.View
	user    scope.Scope

	shared *table.View // nil if the user does not see shared books
}

// Open returns what the user sees. A session stands for its user, so that a run of a session sees what its user sees.
// The zero shared scope hides shared books. To share books, it must have the right to write.
func (s *Library) Open(userOrSession, shared scope.Scope) (*View, error) {
	own, err := s.openUser(userOrSession)
	if err != nil {
		return nil, fmt.Errorf("library: open: %w", err)
	}
	v := &View{library: s, own: own, user: own.Scope()}
	if shared.Level() == scope.None {
		return v, nil
	}
	if shared.Level() != scope.SharedLevel || shared.TenantID() != v.user.TenantID() {
		return nil, fmt.Errorf("library: open: %w: the shared scope is not that of the user's tenant", scope.ErrDenied)
	}
	if v.shared, err = s.table.In(shared); err != nil {
		return nil, fmt.Errorf("library: open: %w", err)
	}
	return v, nil
}

// openUser returns the table of a user, or of the user of a session.
func (s *Library) openUser(sc scope.Scope) (*table.View, error) {
	if err := sc.Require(scope.UserLevel, scope.SessionLevel); err != nil {
		return nil, err
	}
	return s.table.System().Above(sc, scope.UserLevel)
}
