package files

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/carrel-go/carrel/examples/intake/internal/kinds"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tracking"
)

// Store keeps the files of all users. It is safe for concurrent use.
type Store struct {
	table   *table.Table
	bucket  *object.Bucket
	tracker *tracking.Tracker
}

// New returns a Store whose uploads are in bucket, and whose records are those of tracker.
func New(t *table.Table, bucket *object.Bucket, tracker *tracking.Tracker) (*Store, error) {
	if t == nil || bucket == nil || tracker == nil {
		return nil, errors.New("files: table, bucket and tracker must not be nil")
	}
	return &Store{t, bucket, tracker}, nil
}

// Bucket returns the bucket of the uploads.
func (s *Store) Bucket() *object.Bucket { return s.bucket }

// View is what one user sees. It is safe for concurrent use.
type View struct {
	store  *Store
	user   scope.Scope
	root   *object.Root
	shared *table.View // nil without shared files
	theirs *object.Root
}

// Open returns the files of a user, and those of the shared scope, which may be zero.
func (s *Store) Open(user, shared scope.Scope) (*View, error) {
	if err := user.Require(scope.UserLevel); err != nil {
		return nil, fmt.Errorf("files: open: %w", err)
	}
	v := &View{store: s, user: user}
	var err error
	if v.root, err = s.bucket.In(user); err != nil {
		return nil, fmt.Errorf("files: open: %w", err)
	}
	if shared.Level() == scope.None {
		return v, nil
	}
	if shared.Level() != scope.SharedLevel || shared.TenantID() != user.TenantID() {
		return nil, fmt.Errorf("files: open: %w: the shared scope is not that of the user's tenant", scope.ErrDenied)
	}
	if v.shared, err = s.table.In(shared); err != nil {
		return nil, fmt.Errorf("files: open: %w", err)
	}
	if v.theirs, err = s.bucket.In(shared); err != nil {
		return nil, fmt.Errorf("files: open: %w", err)
	}
	return v, nil
}

// File is a file with its state.
type File struct {
	ID     string
	Name   string
	Shared bool // by the tenant; otherwise it is the user's
	Copied bool // the file is the user's, and the tenant shares a copy of it
	// Stage is the stage that matters now, and State its state. Both are empty for a shared file.
	Stage   tracking.Stage
	State   tracking.State
	Failure string // the message of a stage that has failed
	Stopped bool   // the person has stopped the run that was to take the file in
	// NotTable reports that the file cannot be taken in, because it is not a table. Failure is the reason.
	NotTable bool
	Ended    bool // the record will not change any more
	Changed  time.Time
	Run      string     // the key of the claim by the run that takes the file in now, or empty
	Ref      object.Ref // pinned; zero before the upload has arrived
	Report   *Report    // nil before the file was measured
}

// Kind returns the kind of the file, or Unknown.
func (f *File) Kind() kinds.Kind {
	if f.Report == nil || f.Report.Kind == "" {
		return kinds.Unknown
	}
	return f.Report.Kind
}

// session returns the session of an id of the user.
func (v *View) session(id string) (scope.Scope, error) {
	session, err := v.user.Session(id)
	if err != nil {
		return scope.Scope{}, ErrNotFound
	}
	return session, nil
}

// Get returns the user's file with that id, or the one that the tenant shares.
func (v *View) Get(ctx context.Context, id string) (File, error) {
	session, err := v.session(id)
	if err != nil {
		return File{}, err
	}
	rec, err := v.store.tracker.Get(ctx, session)
	if errors.Is(err, tracking.ErrNotFound) {
		return v.getShared(ctx, id)
	}
	if err != nil {
		return File{}, fmt.Errorf("files: get: %w", err)
	}
	return v.read(ctx, rec)
}

// read returns the file of a record.
func (v *View) read(ctx context.Context, rec tracking.Record) (File, error) {
	sum := rec.Summary()
	f := File{
		ID: rec.Scope.SessionID(), Name: rec.Filename, Stage: sum.Stage, State: sum.State, Ended: rec.Terminal,
		Changed: rec.Changed, Failure: rec.Stage(sum.Stage).Error.Message,
	}
	f.Stopped = rec.Stage(sum.Stage).Error.Code == CodeStopped
	f.NotTable = rec.Stage(sum.Stage).Error.Code == CodeNotTable
	if f.Failure == "" && rec.Status == tracking.StatusFailed {
		f.Failure = rec.Reason
	}
	if st := rec.Stage(Profiled); st.State == tracking.StateRunning {
		f.Run = st.Key
	}
	if up := rec.Stage(tracking.UserUpload); up.State == tracking.StateSuccess && !isCancelled(rec) {
		ref, err := up.Destination.Ref(v.root)
		if err != nil {
			return File{}, fmt.Errorf("files: read %s: %w", f.ID, err)
		}
		f.Ref = ref
	}
	var err error
	if f.Report, err = v.report(ctx, rec.Scope); err != nil || !f.Report.IsConfirmed() {
		return f, err
	}
	switch _, err = v.getShared(ctx, f.ID); {
	case err == nil:
		f.Copied = true
	case !errors.Is(err, ErrNotFound):
		return File{}, err
	}
	return f, nil
}

// isCancelled reports whether a person has ended the record, whose object is then deleted.
func isCancelled(rec tracking.Record) bool { return rec.Terminal && rec.Reason == "cancelled" }

// report returns the report of a session, or nil.
func (v *View) report(ctx context.Context, session scope.Scope) (*Report, error) {
	items, err := v.store.table.In(session)
	if err != nil {
		return nil, fmt.Errorf("files: %w", err)
	}
	it, err := items.Get(ctx, reportItem)
	if errors.Is(err, table.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("files: read a report: %w", err)
	}
	return parseReport(it)
}

// Page is a page of the user's files.
type Page struct {
	Files []File
	Next  string // the cursor of the next page
}

// List returns the user's own files, newest first, without those that were deleted or whose upload was given up. It
// does not return shared ones: see [View.ListShared].
func (v *View) List(ctx context.Context, cursor string, limit int) (Page, error) {
	page, err := v.store.tracker.List(ctx, v.user, tracking.Filter{Cursor: cursor, Limit: limit})
	if errors.Is(err, tracking.ErrInvalid) {
		return Page{}, fmt.Errorf("%w: the cursor or the limit", ErrInvalid)
	}
	if err != nil {
		return Page{}, fmt.Errorf("files: list: %w", err)
	}
	out := Page{Next: page.Next}
	for _, sum := range page.Records {
		rec, err := v.store.tracker.Get(ctx, sum.Scope)
		if errors.Is(err, tracking.ErrNotFound) {
			continue // it has expired since
		}
		if err != nil {
			return Page{}, fmt.Errorf("files: list: %w", err)
		}
		if isCancelled(rec) {
			continue // the person has deleted the file, or given up its upload
		}
		f, err := v.read(ctx, rec)
		if err != nil {
			return Page{}, err
		}
		out.Files = append(out.Files, f)
	}
	return out, nil
}
