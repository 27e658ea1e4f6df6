package arrivals

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/carrel-go/carrel/internal/dueindex"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tracking"
)

// A note is an item of a session with the announcement and the time of the next
// look at the upload.
const (
	noteSort = "upload"

	defaultMargin = 15 * time.Minute
)

// notes lists the sessions by the time of the next look.
var notes = dueindex.Index{Class: "uploads", Shards: 16}

// Upload describes an upload that is about to be granted.
type Upload struct {
	// Filename is the name of the file, as in the grant. Required.
	Filename string

	// Size is the announced size in bytes. Zero if the client did not announce
	// it.
	Size int64

	// SHA256 is the announced digest, 32 bytes. Nil if the client did not
	// announce it.
	SHA256 []byte

	// Expires is the end of the grant. Required.
	Expires time.Time

	// Due is when the record is abandoned unless the upload has arrived. An
	// upload may still be in flight when its grant expires. Default: 15 min
	// after Expires.
	Due time.Time

	// Labels are the labels of the record, see [tracking.CreateOptions].
	Labels map[string]string
}

// Expect makes the session's record of an upload, and stores what the client
// announced, so that the arrival can be checked. Call it before the client
// receives the grant. It costs two writes.
//
// It returns presign.ErrInvalid or scope.ErrInvalid if u is invalid. After any
// other error the client must not receive the grant; a later Clean removes what
// was stored.
func (r *Recorder) Expect(ctx context.Context, session scope.Scope, u Upload) (tracking.Record, error) {
	if u.Due.IsZero() {
		u.Due = u.Expires.Add(defaultMargin)
	}
	if err := u.checkFor(session); err != nil {
		return tracking.Record{}, err
	}
	view, err := r.table.In(session)
	if err != nil {
		return tracking.Record{}, fmt.Errorf("arrivals: expect: %w", err)
	}
	note := table.Item{Sort: noteSort, Attr: map[string]table.Value{
		"filename": u.Filename, "size": u.Size, "sha256": u.SHA256, "expires": dueindex.FormatTime(u.Expires),
	}, Index: []table.Entry{notes.Entry(session, u.Due)}}
	// The note precedes the record, so that a crash in between leaves no record
	// whose upload nobody deletes.
	if _, err := view.Put(ctx, note, table.Absent()); err != nil {
		return tracking.Record{}, fmt.Errorf("arrivals: expect: %w", err)
	}
	rec, err := r.tracker.Create(ctx, session, &tracking.CreateOptions{Filename: u.Filename, Due: u.Due, Labels: u.Labels})
	if err != nil {
		return tracking.Record{}, fmt.Errorf("arrivals: expect: %w", err)
	}
	return rec, nil
}

func (u Upload) checkFor(session scope.Scope) error {
	if err := session.Require(scope.SessionLevel); err != nil {
		return fmt.Errorf("arrivals: expect: %w", err)
	}
	if _, err := session.Key(u.Filename); err != nil {
		return fmt.Errorf("arrivals: expect: %w", err)
	}
	switch {
	case u.Size < 0:
		return invalidError("expect", "size %d: must be at least 0", u.Size)
	case len(u.SHA256) != 0 && len(u.SHA256) != sha256.Size:
		return invalidError("expect", "digest of %d bytes: must be of %d", len(u.SHA256), sha256.Size)
	case u.Expires.IsZero():
		return invalidError("expect", "end of the grant: must be set")
	case u.Due.Before(u.Expires):
		return invalidError("expect", "due %v: must not precede the end of the grant, %v", u.Due, u.Expires)
	}
	return nil
}

// readAnnouncement returns the announced size and digest, or the zero Upload if
// the session does not have a note.
func (r *Recorder) readAnnouncement(ctx context.Context, session scope.Scope) (u Upload, _ error) {
	view, err := r.table.In(session)
	if err != nil {
		return u, err
	}
	note, err := view.Get(ctx, noteSort)
	if errors.Is(err, table.ErrNotFound) {
		return u, nil
	}
	if err != nil {
		return u, err
	}
	u.Size, _ = note.Attr["size"].(int64)
	if sum, _ := note.Attr["sha256"].([]byte); len(sum) > 0 {
		u.SHA256 = sum
	}
	return u, nil
}
