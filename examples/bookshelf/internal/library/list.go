package library

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/carrel-go/carrel/scope/table"
)

// Limits of a page.
const (
	MaxLimit    = 100 // books of a page
	MaxExamined = 500 // books that a page looks at, listed or not

	defaultLimit = 20
)

// ListOptions selects the books of a page.
type ListOptions struct {
	// Text is searched for in Field, see [View.List]. If it is empty, all books are listed.
	Text  string
	Field Field
	// Cursor is the Next of the previous page, or empty for the first one.
	Cursor string
	// Limit is the largest number of books, 1 to [MaxLimit]. Zero means 20.
	Limit int
}

// Page is a page of a list, newest first: in order of the uploads.
type Page struct {
	Books []Book
	// Next is the cursor of the next page, or empty on the last one. A page of a search may be short or empty and still
	// have a Next.
	Next string
}

// List returns a page of the user's own books and of those that the tenant shares. A book that is both is listed once,
// as the user's own.
//
// A text is a list of words, or an ISBN. A book matches if each word begins a word of its title or its author, or of
// the one that Field names; case, accents and punctuation do not matter. An ISBN matches in both forms.
func (v *View) List(ctx context.Context, o *ListOptions) (Page, error) {
	if o == nil {
		o = &ListOptions{}
	}
	limit := o.Limit
	if limit == 0 {
		limit = defaultLimit
	}
	if limit < 1 || limit > MaxLimit {
		return Page{}, fmt.Errorf("%w: limit %d: must be 1 to %d", ErrInvalid, limit, MaxLimit)
	}
	if o.Cursor != "" {
		if _, err := v.user.Session(o.Cursor); err != nil {
			return Page{}, ErrCursor
		}
	}
	matches, err := newMatcher(o.Text, o.Field)
	if err != nil {
		return Page{}, err
	}
	size := limit + 1
	if o.Text != "" {
		size = MaxLimit
		release, err := v.library.searches.Acquire(ctx, v.user, 1)
		if err != nil {
			return Page{}, fmt.Errorf("library: search: %w", err)
		}
		defer release()
	}
	if err := v.repair(ctx); err != nil {
		return Page{}, fmt.Errorf("library: list: %w", err)
	}
	page := Page{Books: []Book{}}
	examined, last := 0, ""
	for b, err := range v.rows(ctx, o.Cursor, size) {
		if err != nil {
			return Page{}, fmt.Errorf("library: list: %w", err)
		}
		if len(page.Books) == limit || examined == MaxExamined {
			page.Next = last
			break
		}
		examined, last = examined+1, b.ID
		if matches(&b) {
			page.Books = append(page.Books, b)
		}
	}
	return page, nil
}

// rows yields the user's books and the shared ones whose ids are less than before, or all, greatest first.
func (v *View) rows(ctx context.Context, before string, size int) iter.Seq2[Book, error] {
	own := listRows(ctx, v.own, before, size)
	if v.shared == nil {
		return own
	}
	return merge(own, listRows(ctx, v.shared, before, size))
}

// listRows yields the books of one partition, reading pages of the given size.
func listRows(ctx context.Context, view *table.View, before string, size int) iter.Seq2[Book, error] {
	return func(yield func(Book, error) bool) {
		q := table.Query{From: rowPrefix, To: rowEnd, Desc: true, Consistent: true, Limit: size}
		if before != "" {
			q.To = rowPrefix + before
		}
		for {
			page, err := view.Query(ctx, q)
			if err != nil {
				yield(Book{}, err)
				return
			}
			for _, f := range page.Items {
				if b, err := parseRow(f.Item); !yield(b, err) || err != nil {
					return
				}
			}
			if q.Cursor = page.Next; q.Cursor == "" {
				return
			}
		}
	}
}

// merge yields the books of both sequences in the order of their ids. Of a book that is in both, it yields the user's
// own.
func merge(own, shared iter.Seq2[Book, error]) iter.Seq2[Book, error] {
	return func(yield func(Book, error) bool) {
		nextOwn, stopOwn := iter.Pull2(own)
		defer stopOwn()
		nextShared, stopShared := iter.Pull2(shared)
		defer stopShared()
		a, errA, okA := nextOwn()
		b, errB, okB := nextShared()
		for okA || okB {
			switch {
			case errors.Join(errA, errB) != nil:
				yield(Book{}, errors.Join(errA, errB))
				return
			case okA && okB && a.ID == b.ID:
				a.SharedVersion = b.Version
				b, errB, okB = nextShared()
				continue
			case okA && (!okB || a.ID > b.ID):
				if !yield(a, nil) {
					return
				}
				a, errA, okA = nextOwn()
			default:
				b.Shared = true
				if !yield(b, nil) {
					return
				}
				b, errB, okB = nextShared()
			}
		}
	}
}

// Counts are the numbers of a user's own books and of the tenant's shared ones. Each stops at 1,000, see
// [table.View.Count].
type Counts struct {
	Own, Shared int
	Capped      bool // whether there may be more of either
}

// Count counts the books.
func (v *View) Count(ctx context.Context) (c Counts, err error) {
	if err := v.repair(ctx); err != nil {
		return c, fmt.Errorf("library: count: %w", err)
	}
	q := table.Query{From: rowPrefix, To: rowEnd, Consistent: true}
	if c.Own, c.Capped, err = v.own.Count(ctx, q); err != nil || v.shared == nil {
		return c, err
	}
	n, capped, err := v.shared.Count(ctx, q)
	c.Shared, c.Capped = n, c.Capped || capped
	return c, err
}
