package library

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/book"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tracking"
)

const (
	maxNotes      = 20 // that one call works on
	maxNoteWrites = 64 // of one note, while others write it
)

// Announce notes that the upload of the session is about to be accepted. It is called by the holder of the record's
// stage, before it ends the record. It may be repeated.
func (s *Library) Announce(ctx context.Context, session scope.Scope) error {
	own, err := s.openSession(session)
	if err == nil {
		err = putNote(ctx, own, session.SessionID())
	}
	if err != nil {
		return fmt.Errorf("library: announce: %w", err)
	}
	return nil
}

// putNote notes that the row and the record of an upload are about to change, so that a List, a Count or a Get finishes
// the change if the process dies in between.
func putNote(ctx context.Context, own *table.View, id string) (err error) {
	it := table.Item{Sort: notePrefix + id}
	for range maxNoteWrites {
		cond := table.Absent()
		if it.Version > 0 { // put again, so that a repair that has seen an older note does not delete this one
			cond = table.Version(it.Version)
		}
		_, err = own.Put(ctx, it, cond)
		conflict, ok := errors.AsType[*table.ConflictError](err)
		if !ok {
			return err
		}
		if it.Version = 0; conflict.Current != nil {
			it.Version = conflict.Current.Version
		}
	}
	return err
}

// Add puts the book of an upload that was accepted on its user's shelf. It does nothing if the book is there, or if the
// upload was not accepted.
func (s *Library) Add(ctx context.Context, session scope.Scope) error {
	own, err := s.openSession(session)
	if err != nil {
		return fmt.Errorf("library: add: %w", err)
	}
	note, err := own.Get(ctx, notePrefix+session.SessionID())
	if err != nil && !errors.Is(err, table.ErrNotFound) {
		return fmt.Errorf("library: add: %w", err)
	}
	if err := s.settle(ctx, own, session, note); err != nil {
		return fmt.Errorf("library: add: %w", err)
	}
	return nil
}

// openSession returns the table of the session's user.
func (s *Library) openSession(session scope.Scope) (*table.View, error) {
	if err := session.Require(scope.SessionLevel); err != nil {
		return nil, err
	}
	return s.openUser(session)
}

// repair settles the notes of accepts that were interrupted.
func (v *View) repair(ctx context.Context) error {
	if v.user.RequireWrite() != nil {
		return nil
	}
	page, err := v.own.Query(ctx, table.Query{From: notePrefix, To: noteEnd, Limit: maxNotes, Consistent: true})
	if err != nil {
		return err
	}
	for _, f := range page.Items {
		session, err := v.user.Session(strings.TrimPrefix(f.Item.Sort, notePrefix))
		if err != nil {
			return fmt.Errorf("%w %q: %w", errDamaged, f.Item.Sort, err)
		}
		if err := v.library.settle(ctx, v.own, session, f.Item); err != nil {
			return err
		}
	}
	return nil
}

// settle puts the row of an upload that was accepted. If there is a note, it then gives the record the title of the
// row, and deletes the note. It keeps the note of an accept in flight.
func (s *Library) settle(ctx context.Context, own *table.View, session scope.Scope, note table.Item) error {
	rec, err := s.tracker.Get(ctx, session)
	switch {
	case errors.Is(err, tracking.ErrNotFound): // expired: the object is what remains
		err = s.addRow(ctx, own, session, tracking.Record{})
		if errors.Is(err, object.ErrNotFound) {
			err = nil
		}
	case err != nil:
		return err
	case rec.Stage(tracking.Enrichment).State == tracking.StateSuccess:
		err = s.addRow(ctx, own, session, rec)
	case rec.Stage(tracking.Enrichment).Live(time.Now()):
		return nil
	}
	if errors.Is(err, object.ErrNotFound) || errors.Is(err, object.ErrChanged) || errors.Is(err, errDamaged) {
		s.log.ErrorContext(ctx, "the accepted metadata cannot be read", "scope", session.String(), "err", err)
		err = nil
	}
	if err == nil && note.Version > 0 {
		err = s.renameUpload(ctx, own, session)
	}
	if err != nil || note.Version == 0 {
		return err
	}
	err = own.Delete(ctx, note.Sort, table.Version(note.Version))
	if _, changed := errors.AsType[*table.ConflictError](err); changed {
		return nil // somebody else has settled it, or it has been announced again
	}
	return err
}

// addRow puts the row of an accepted upload unless it is there. The record is empty if it has expired.
func (s *Library) addRow(ctx context.Context, own *table.View, session scope.Scope, rec tracking.Record) error {
	if _, err := own.Get(ctx, rowPrefix+session.SessionID()); !errors.Is(err, table.ErrNotFound) {
		return err
	}
	b, err := s.readAccepted(ctx, session, rec)
	if err != nil {
		return err
	}
	it, err := b.item()
	if err != nil {
		return err
	}
	_, err = own.Put(ctx, it, table.Absent())
	if _, exists := errors.AsType[*table.ConflictError](err); exists {
		return nil
	}
	return err
}

// AcceptedName is the name of the object with the accepted metadata in the scope of the upload.
const AcceptedName = "metadata.json"

// readAccepted returns the book of an accepted upload.
func (s *Library) readAccepted(ctx context.Context, session scope.Scope, rec tracking.Record) (Book, error) {
	raw, err := s.raw.In(session)
	if err != nil {
		return Book{}, err
	}
	b := Book{ID: session.SessionID(), Accepted: session.Time()}
	ref, err := raw.Ref(AcceptedName)
	if st := rec.Stage(tracking.Enrichment); err == nil && !st.Destination.IsZero() {
		b.Accepted = st.Ended
		ref, err = st.Destination.Ref(raw)
	}
	if err != nil {
		return Book{}, err
	}
	meta, ref, err := readMetadata(ctx, raw, ref)
	if err != nil {
		return Book{}, err
	}
	b.Metadata, b.Versions = meta, []Version{{Number: 1, Time: b.Accepted, object: ref}}
	if upload := rec.Stage(tracking.UserUpload).Destination; !upload.IsZero() {
		b.photo, err = s.readPhoto(ctx, session, upload)
	}
	return b, err
}

// readMetadata reads the metadata in an object and returns its ref, pinned.
func readMetadata(ctx context.Context, root *object.Root, ref object.Ref) (book.Metadata, object.Ref, error) {
	ref, _, err := root.Stat(ctx, ref)
	if err != nil {
		return book.Metadata{}, ref, err
	}
	body, _, err := root.Open(ctx, ref, nil)
	if err != nil {
		return book.Metadata{}, ref, err
	}
	defer func() { _ = body.Close() }()
	b, err := io.ReadAll(io.LimitReader(body, book.MaxBytes+1))
	if err != nil {
		return book.Metadata{}, ref, err
	}
	meta, err := book.DecodeStored(bytes.TrimSpace(b))
	if err != nil {
		return book.Metadata{}, ref, fmt.Errorf("%w: %s: %w", errDamaged, ref.Name(), err)
	}
	return meta, ref, nil
}

// sniffed is the number of bytes that http.DetectContentType looks at.
const sniffed = 512

// readPhoto returns the picture of an upload, without a picture if it is gone. Its media type is that of its content.
func (s *Library) readPhoto(ctx context.Context, session scope.Scope, upload tracking.Location) (photo, error) {
	root, err := s.landing.In(session)
	if err != nil {
		return photo{}, err
	}
	ref, err := upload.Ref(root)
	if err != nil {
		return photo{}, err
	}
	body, info, err := root.Open(ctx, ref, &object.Range{Len: sniffed})
	switch {
	case errors.Is(err, object.ErrNotFound), errors.Is(err, object.ErrChanged), errors.Is(err, object.ErrRange):
		return photo{}, nil
	case err != nil:
		return photo{}, err
	}
	defer func() { _ = body.Close() }()
	start, err := io.ReadAll(io.LimitReader(body, sniffed))
	if err != nil {
		return photo{}, err
	}
	switch media := http.DetectContentType(start); media {
	case "image/png", "image/jpeg", "image/webp":
		return photo{ref, media, info.Size}, nil
	}
	return photo{}, nil
}
