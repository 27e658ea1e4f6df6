package library

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/book"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tracking"
)

// TitleLabel is the label of an upload's record that has the title of its book.
const TitleLabel = "title"

// maxLabel is the size of a label in bytes.
const maxLabel = 256

// LabelTitle returns the title as a label, truncated to fit, or "" if the book does not have one.
func LabelTitle(m book.Metadata) string {
	if m.Title == nil {
		return ""
	}
	title := *m.Title
	for len(title) > maxLabel {
		_, last := utf8.DecodeLastRuneInString(title)
		title = title[:len(title)-last]
	}
	return title
}

// maxRenames is how often a title is set again because somebody has corrected it meanwhile.
const maxRenames = 8

// Rename sets the title of an accepted upload to that of its book. It is for a caller that has set another one without
// knowing of the accept.
func (s *Library) Rename(ctx context.Context, session scope.Scope) error {
	own, err := s.openSession(session)
	if err == nil {
		err = s.renameUpload(ctx, own, session)
	}
	if err != nil {
		return fmt.Errorf("library: rename: %w", err)
	}
	return nil
}

// renameUpload sets the title in the record of a book's upload to that of the row. It reads the row again after each
// write, so that of several corrections at the same time the last one names the record. The record may have expired.
func (s *Library) renameUpload(ctx context.Context, own *table.View, session scope.Scope) error {
	for range maxRenames {
		before, err := readRow(ctx, own, session.SessionID())
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		title := map[string]string{TitleLabel: LabelTitle(before.Metadata)}
		_, err = s.tracker.SetLabels(ctx, session, title)
		if errors.Is(err, tracking.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		after, err := readRow(ctx, own, session.SessionID())
		if err != nil {
			return err
		}
		if after.Version == before.Version {
			return nil
		}
	}
	return fmt.Errorf("the title of %s changes too often", session.SessionID())
}
