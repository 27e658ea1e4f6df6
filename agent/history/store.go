package history

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/internal/dueindex"
	"github.com/carrel-go/carrel/internal/jsonobject"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tools"
)

const (
	maxNumber = 999_999
	maxLoad   = 64 << 20 // bytes of JSON that Load reads
)

// Options configures a [Store]. A nil *Options is valid.
type Options struct {
	// Objects stores the turns and compactions that do not fit an item, as "turn-<digest>.json" in the scope of their
	// session. If nil, they are rejected.
	Objects *object.Bucket
	// Retention is the time after its newest turn for which a conversation is kept, at least an hour; it may be kept for
	// a tenth longer. [Store.Clean] then deletes it. Zero means that conversations are kept until [Store.Delete].
	// Conversations to which nothing has been appended since a Retention was set are kept too.
	Retention time.Duration
}

// Store holds the histories of all sessions in a table. It is safe for concurrent use.
type Store struct {
	table     *table.Table
	objects   jsonobject.Store
	retention time.Duration
	cleaning  dueindex.Pass
}

// New returns the histories in t. It returns [ErrInvalid] if t is nil or an option is out of range.
func New(t *table.Table, o *Options) (*Store, error) {
	if t == nil {
		return nil, fmt.Errorf("%w: the table must not be nil", ErrInvalid)
	}
	s := &Store{table: t, objects: jsonobject.Store{Kind: "turn", MaxSize: maxLoad}}
	if o != nil {
		s.objects.Bucket, s.retention = o.Objects, o.Retention
	}
	if s.retention != 0 && s.retention < time.Hour {
		return nil, fmt.Errorf("%w: Retention %v: must be 0 or at least an hour", ErrInvalid, s.retention)
	}
	return s, nil
}

// Position is the position of the next turn and compaction.
type Position struct {
	// Turns is the number of the newest turn, or 0.
	Turns int
	// Compaction is the number of the newest compaction, or 0.
	Compaction int
}

// Load returns what the model has to know: the turns of the newest compaction and those after it, with the newest
// State. Objects in the turns are resolved in the roots: that of the session, and that of the tenant's shared data if
// runs of the session may read it. An object outside the roots is an error ([object.ErrOutside]).
//
// It costs two queries. It returns [ErrDamaged] if a turn is missing or unreadable, and [ErrTooLarge] for more than
// 64 MB of JSON: compact such a history.
func (s *Store) Load(ctx context.Context, session scope.Scope, roots ...*object.Root) (agent.History, Position, error) {
	h, at, err := s.loadHistory(ctx, session, roots)
	if err != nil {
		return agent.History{}, Position{}, fmt.Errorf("history: load: %w", err)
	}
	return h, at, nil
}

func (s *Store) loadHistory(
	ctx context.Context, session scope.Scope, roots []*object.Root,
) (h agent.History, at Position, _ error) {
	view, err := s.openView(session)
	if err != nil {
		return h, at, err
	}
	compacted, err := findNewest(ctx, view, compactKind)
	if err != nil {
		return h, at, err
	}
	size := 0
	if compacted.Sort != "" {
		r, err := s.readRecord(ctx, view, compacted)
		if err != nil {
			return h, at, err
		}
		h, size = agent.History{Turns: r.turns, State: r.state}, r.size
		at = Position{Turns: r.through, Compaction: r.number}
	}
	_, end := turnKind.bounds()
	q := table.Query{From: turnName(at.Turns + 1), To: end, Consistent: true, Limit: table.MaxLimit}
	for {
		page, err := view.Query(ctx, q)
		if err != nil {
			return h, at, err
		}
		for _, f := range page.Items {
			r, err := s.readRecord(ctx, view, f.Item)
			if err != nil {
				return h, at, err
			}
			if err := s.checkGap(ctx, view, at.Turns, r.number); err != nil {
				return h, at, err
			}
			h.Turns, h.State, at.Turns = append(h.Turns, r.turns...), r.state, r.number
			if size += r.size; size > maxLoad {
				return h, at, ErrTooLarge
			}
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			break
		}
	}
	for i, t := range h.Turns {
		if h.Turns[i], err = t.Resolve(roots...); err != nil {
			return h, at, err
		}
	}
	return h, at, nil
}

// checkGap returns [ErrDamaged] if a turn after the one with the number last, and before next, is missing although
// [Store.Clean] has not deleted it.
func (s *Store) checkGap(ctx context.Context, view *table.View, last, next int) error {
	if next == last+1 {
		return nil
	}
	marker, _, err := readMarker(ctx, view)
	if err != nil {
		return err
	}
	if next-1 > cleanedThrough(marker) {
		return fmt.Errorf("%w: turn %d is missing", ErrDamaged, last+1)
	}
	return nil
}

// Append stores turn number n and the State after it, which may be nil. The caller numbers turns without gaps: n is one
// more than [Position].Turns. It returns [ErrForked] if a different turn has that number, and no error if the same one
// has.
func (s *Store) Append(ctx context.Context, session scope.Scope, n int, t agent.Turn, state *tools.State) error {
	err := s.writeRecord(ctx, session, record{kind: turnKind, number: n, turns: []agent.Turn{t}, state: state})
	if err != nil {
		return fmt.Errorf("history: append turn %d: %w", n, err)
	}
	return nil
}

// Compact stores compaction number g: the given turns replace turns 1 to through for the model. g is one more than
// [Position].Compaction. It returns [ErrForked] if a different compaction has that number, and no error if the same one
// has.
func (s *Store) Compact(
	ctx context.Context, session scope.Scope, g, through int, turns []agent.Turn, state *tools.State,
) error {
	if through < 0 || through > maxNumber {
		return fmt.Errorf("history: compact: %w: turn %d", ErrInvalid, through)
	}
	err := s.writeRecord(ctx, session, record{kind: compactKind, number: g, through: through, turns: turns, state: state})
	if err != nil {
		return fmt.Errorf("history: compact %d: %w", g, err)
	}
	return nil
}

// Numbered is a turn with its number.
type Numbered struct {
	Number int        `json:"number"`
	Turn   agent.Turn `json:"turn"`
}

// Page is one page of a history.
type Page struct {
	// Turns are ordered by their numbers, greatest first. The objects in them are unresolved.
	Turns []Numbered `json:"turns"`
	// Next is the cursor of the next page. It is empty on the last page.
	Next string `json:"next,omitempty"`
}

// Page returns a page of the session's turns, newest first, as they were before any compaction. The first page has an
// empty cursor. The limit is 1 to 100. Page returns [table.ErrCursor] for a cursor that is not from a page of the
// session.
func (s *Store) Page(ctx context.Context, session scope.Scope, cursor string, limit int) (Page, error) {
	if limit < 1 || limit > 100 {
		return Page{}, fmt.Errorf("history: page: %w: limit %d: must be 1 to 100", ErrInvalid, limit)
	}
	view, err := s.openView(session)
	if err != nil {
		return Page{}, fmt.Errorf("history: page: %w", err)
	}
	from, to := turnKind.bounds()
	q := table.Query{From: from, To: to, Desc: true, Consistent: true, Limit: limit, Cursor: cursor}
	found, err := view.Query(ctx, q)
	if err != nil {
		return Page{}, fmt.Errorf("history: page: %w", err)
	}
	page := Page{Turns: make([]Numbered, len(found.Items)), Next: found.Next}
	for i, f := range found.Items {
		r, err := s.readRecord(ctx, view, f.Item)
		if err != nil {
			return Page{}, fmt.Errorf("history: page: %w", err)
		}
		page.Turns[i] = Numbered{r.number, r.turns[0]}
	}
	return page, nil
}

// Delete removes all turns and compactions of the session, with their objects. It can be repeated if it fails.
//
// The session must not have a run in flight. A turn that is appended meanwhile, or later with a number from before, is
// kept, and without a [Options].Retention [Store.Load] then returns [ErrDamaged] until Delete is called again.
func (s *Store) Delete(ctx context.Context, session scope.Scope) error {
	view, err := s.openView(session)
	if err == nil {
		turns, turnsEnd := turnKind.bounds()
		compactions, compactionsEnd := compactKind.bounds()
		err = errors.Join(s.deleteAll(ctx, view, turns, turnsEnd), s.deleteAll(ctx, view, compactions, compactionsEnd),
			s.deleteAll(ctx, view, markerSort, markerSort+"!"))
	}
	if err != nil {
		return fmt.Errorf("history: delete: %w", err)
	}
	return nil
}

func (s *Store) deleteAll(ctx context.Context, view *table.View, from, to string) error {
	q := table.Query{From: from, To: to, Consistent: true, Limit: table.MaxLimit}
	for {
		page, err := view.Query(ctx, q)
		if err != nil {
			return err
		}
		for _, f := range page.Items {
			if stored, ok := f.Item.Attr[objectAttr].(string); ok {
				if err := s.objects.Delete(ctx, view.Scope(), stored); err != nil {
					return err
				}
			}
			err := view.Delete(ctx, f.Item.Sort, table.Version(f.Item.Version))
			if _, changed := errors.AsType[*table.ConflictError](err); err != nil && !changed {
				return err
			}
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			return nil
		}
	}
}

func (s *Store) openView(session scope.Scope) (*table.View, error) {
	if err := session.Require(scope.SessionLevel); err != nil {
		return nil, err
	}
	return s.table.In(session)
}
