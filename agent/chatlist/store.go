package chatlist

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

const (
	prefix    = "title#"
	prefixEnd = "title$" // follows every key with the prefix
	titleAttr = "title"
)

// MaxLimit is the largest number of chats of a page, and MaxTitle that of characters of a title.
const (
	MaxLimit = 100
	MaxTitle = 80
)

// Chat is a chat in a list.
type Chat struct {
	ID      string // of its session
	Title   string // the beginning of its first message, on one line
	Started time.Time
}

// Page is a page of a list, newest first.
type Page struct {
	Chats []Chat
	Next  string // the cursor of the next page, or empty on the last one
}

// Store keeps the lists of all users. It is safe for concurrent use.
type Store struct{ table *table.Table }

// New returns a Store. It returns an error if t is nil.
func New(t *table.Table) (*Store, error) {
	if t == nil {
		return nil, fmt.Errorf("%w: the table must not be nil", ErrInvalid)
	}
	return &Store{t}, nil
}

// Add puts the chat of a session on the list of its user, unless it is there. The message becomes its title.
func (s *Store) Add(ctx context.Context, session scope.Scope, message string) error {
	if err := session.Require(scope.SessionLevel); err != nil {
		return fmt.Errorf("chatlist: add: %w", err)
	}
	view, err := s.table.System().Above(session, scope.UserLevel)
	if err != nil {
		return fmt.Errorf("chatlist: add: %w", err)
	}
	it := table.Item{Sort: prefix + session.SessionID(), Attr: map[string]table.Value{titleAttr: cutTitle(message)}}
	_, err = view.Put(ctx, it, table.Absent())
	if _, exists := errors.AsType[*table.ConflictError](err); err != nil && !exists {
		return fmt.Errorf("chatlist: add: %w", err)
	}
	return nil
}

// Remove takes the chat of a session off the list of its user. It succeeds if the chat is not there.
func (s *Store) Remove(ctx context.Context, session scope.Scope) error {
	if err := session.Require(scope.SessionLevel); err != nil {
		return fmt.Errorf("chatlist: remove: %w", err)
	}
	view, err := s.table.System().Above(session, scope.UserLevel)
	if err != nil {
		return fmt.Errorf("chatlist: remove: %w", err)
	}
	it, err := view.Get(ctx, prefix+session.SessionID())
	if err == nil {
		err = view.Delete(ctx, it.Sort, table.Version(it.Version))
	}
	_, changed := errors.AsType[*table.ConflictError](err)
	if err != nil && !changed && !errors.Is(err, table.ErrNotFound) {
		return fmt.Errorf("chatlist: remove: %w", err)
	}
	return nil
}

// cutTitle returns the beginning of a message on one line.
func cutTitle(message string) string {
	title := strings.Join(strings.Fields(message), " ")
	if utf8.RuneCountInString(title) <= MaxTitle {
		return title
	}
	return string([]rune(title)[:MaxTitle-1]) + "…"
}

// Page returns a page of the user's chats. The first page has an empty cursor. The limit is 1 to [MaxLimit].
func (s *Store) Page(ctx context.Context, user scope.Scope, cursor string, limit int) (Page, error) {
	if err := user.Require(scope.UserLevel); err != nil {
		return Page{}, fmt.Errorf("chatlist: page: %w", err)
	}
	if limit < 1 || limit > MaxLimit {
		return Page{}, fmt.Errorf("%w: limit %d: must be 1 to %d", ErrInvalid, limit, MaxLimit)
	}
	view, err := s.table.In(user)
	if err != nil {
		return Page{}, fmt.Errorf("chatlist: page: %w", err)
	}
	q := table.Query{From: prefix, To: prefixEnd, Desc: true, Consistent: true, Limit: limit + 1}
	if cursor != "" {
		if _, err := user.Session(cursor); err != nil {
			return Page{}, ErrCursor
		}
		q.To = prefix + cursor
	}
	page := Page{Chats: []Chat{}}
	for {
		found, err := view.Query(ctx, q)
		if err != nil {
			return Page{}, fmt.Errorf("chatlist: page: %w", err)
		}
		for _, f := range found.Items {
			if len(page.Chats) == limit {
				page.Next = page.Chats[limit-1].ID
				return page, nil
			}
			c, err := parseChat(user, f.Item)
			if err != nil {
				return Page{}, err
			}
			page.Chats = append(page.Chats, c)
		}
		if q.Cursor = found.Next; q.Cursor == "" {
			return page, nil
		}
	}
}

// parseChat reads an item.
func parseChat(user scope.Scope, it table.Item) (Chat, error) {
	title, ok := it.Attr[titleAttr].(string)
	session, err := user.Session(strings.TrimPrefix(it.Sort, prefix))
	if !ok || err != nil {
		return Chat{}, fmt.Errorf("%w: %q", errForeign, it.Sort)
	}
	return Chat{session.SessionID(), title, session.Time()}, nil
}
