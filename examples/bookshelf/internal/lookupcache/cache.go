package lookupcache

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/book"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/booktools"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/catalogue"
	"github.com/carrel-go/carrel/internal/strictjson"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

const (
	sortPrefix = "lookup#"
	answerAttr = "answer" // JSON: the matches

	keepFound  = 30 * 24 * time.Hour
	keepAbsent = 24 * time.Hour
)

// Options configures [New]. Nil means the defaults.
type Options struct {
	// Found is how long books are kept. Zero means 30 days.
	Found time.Duration
	// Absent is how long the absence of a book is kept. Zero means a day.
	Absent time.Duration
	// Log receives the use of the cache at debug, and failures of the table as warnings. If nil, they are not logged.
	Log *slog.Logger
}

// Cache is a source of books that keeps the answers of another. It is safe for concurrent use.
type Cache struct {
	source        booktools.Source
	system        *table.System
	found, absent time.Duration
	log           *slog.Logger
	hits, misses  atomic.Int64
}

// New returns a cache of the source's answers. The system reaches the partitions of the tenants.
func New(source booktools.Source, system *table.System, o *Options) (*Cache, error) {
	if source == nil || system == nil {
		return nil, errors.New("lookupcache: the source and the system must not be nil")
	}
	if o == nil {
		o = &Options{}
	}
	if o.Found < 0 || o.Absent < 0 {
		return nil, errors.New("lookupcache: Found and Absent must not be negative")
	}
	log := o.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Cache{
		source: source, system: system, log: log,
		found: cmp.Or(o.Found, keepFound), absent: cmp.Or(o.Absent, keepAbsent),
	}, nil
}

// Name implements [booktools.Source]. It returns the name of the cached source.
func (c *Cache) Name() string { return c.source.Name() }

// ByISBN implements [booktools.Source].
func (c *Cache) ByISBN(ctx context.Context, s scope.Scope, isbn string) (catalogue.Book, bool, error) {
	hits, err := c.answer(ctx, s, []string{"isbn", isbn}, func() ([]catalogue.Match, error) {
		b, ok, err := c.source.ByISBN(ctx, s, isbn)
		if err != nil || !ok {
			return nil, err
		}
		return []catalogue.Match{{Book: b, Score: 1}}, nil
	})
	if err != nil || len(hits) == 0 {
		return catalogue.Book{}, false, err
	}
	return hits[0].Book, true, nil
}

// Search implements [booktools.Source].
func (c *Cache) Search(ctx context.Context, s scope.Scope, title, author string) ([]catalogue.Match, error) {
	return c.answer(ctx, s, []string{"title", title, author}, func() ([]catalogue.Match, error) {
		return c.source.Search(ctx, s, title, author)
	})
}

// answer returns the kept answer to a question, or that of ask, which it keeps. A table that fails does not keep the
// source from answering.
func (c *Cache) answer(
	ctx context.Context, s scope.Scope, question []string, ask func() ([]catalogue.Match, error),
) ([]catalogue.Match, error) {
	view, err := c.system.Above(s, scope.TenantLevel)
	if err != nil {
		return nil, fmt.Errorf("lookupcache: %w", err)
	}
	sort := c.sortKey(question)
	hits, ok, err := readAnswer(ctx, view, sort)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, err
	case err != nil:
		c.log.WarnContext(ctx, "read a kept look-up", "source", c.Name(), "err", err)
	case ok:
		c.logUse(ctx, question[0], true, &c.hits)
		return hits, nil
	}
	c.logUse(ctx, question[0], false, &c.misses)
	if hits, err = ask(); err != nil {
		return nil, err
	}
	if err := c.keepAnswer(ctx, view, sort, hits); err != nil {
		c.log.WarnContext(ctx, "keep a look-up", "source", c.Name(), "err", err)
	}
	return hits, nil
}

// logUse counts a question and logs the numbers of hits and misses. It does not log the question.
func (c *Cache) logUse(ctx context.Context, by string, isHit bool, count *atomic.Int64) {
	count.Add(1)
	c.log.DebugContext(ctx, "look-up", "source", c.Name(), "by", by, "hit", isHit,
		"hits", c.hits.Load(), "misses", c.misses.Load())
}

// sortKey returns the sort key of the answer to a question. Each text is preceded by its length, so two questions never
// have the same key.
func (c *Cache) sortKey(question []string) string {
	h := sha256.New()
	for _, text := range append([]string{c.Name()}, question...) {
		h.Write([]byte(strconv.Itoa(len(text)) + ":" + text))
	}
	return sortPrefix + hex.EncodeToString(h.Sum(nil))
}

// readAnswer returns a kept answer, or false if it does not exist.
func readAnswer(ctx context.Context, view *table.View, sort string) ([]catalogue.Match, bool, error) {
	it, err := view.Get(ctx, sort)
	if errors.Is(err, table.ErrNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	var hits []catalogue.Match
	text, isText := it.Attr[answerAttr].(string)
	if !isText || strictjson.Decode([]byte(text), &hits) != nil {
		return nil, false, newForeignError(sort)
	}
	for _, m := range hits {
		hasValidISBN := m.Book.ISBN == "" || book.ValidISBN13(m.Book.ISBN)
		if m.Book.Title == "" || !hasValidISBN || m.Score < catalogue.Threshold || m.Score > 1 {
			return nil, false, newForeignError(sort)
		}
	}
	return hits, true, nil
}

func newForeignError(sort string) error {
	return fmt.Errorf("the item %q was not written by this package", sort)
}

// keepAnswer stores an answer, unless another call has stored one meanwhile or the caller may only read.
func (c *Cache) keepAnswer(ctx context.Context, view *table.View, sort string, hits []catalogue.Match) error {
	if view.Scope().RequireWrite() != nil {
		return nil
	}
	if hits == nil {
		hits = []catalogue.Match{}
	}
	text, err := json.Marshal(hits)
	if err != nil {
		return err
	}
	keep := c.found
	if len(hits) == 0 {
		keep = c.absent
	}
	it := table.Item{
		Sort: sort, Expires: time.Now().Add(keep), Attr: map[string]table.Value{answerAttr: string(text)},
	}
	_, err = view.Put(ctx, it, table.Absent())
	if _, ok := errors.AsType[*table.ConflictError](err); ok {
		return nil
	}
	return err
}
