package approval

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

// What errors of this package may be, by errors.Is.
var (
	// ErrNotFound: there is no such request in this scope, or it has expired.
	ErrNotFound = errors.New("approval: no such request")
	// ErrDecided: the request has been decided otherwise. The [Request] that comes with it says how.
	ErrDecided = errors.New("approval: it has been decided otherwise")
	// ErrInvalid: a value that cannot be: a text that is too long, a limit, a cursor of another list.
	ErrInvalid = errors.New("approval: invalid value")
	// ErrNoKey: the call has no idempotency key, so nothing could say which call was approved. Give the run an id.
	ErrNoKey = errors.New("approval: the call has no idempotency key")
)

// Options configure [New]. Nil is valid.
type Options struct {
	// TTL is how long a request waits for its decision, and how long the decision then counts. After that the request
	// does not exist: the call, made again, asks anew. Default: 24 hours.
	TTL time.Duration
}

// Approvals keeps requests in a table. It is safe for concurrent use by many goroutines and many processes: every
// change is one conditional write. Errors of the table are returned wrapped.
type Approvals struct {
	table *table.Table
	ttl   time.Duration
}

// New returns the approvals in t. It refuses a nil one, and a TTL of less than a second.
func New(t *table.Table, o *Options) (*Approvals, error) {
	if t == nil {
		return nil, fmt.Errorf("%w: the table is nil", ErrInvalid)
	}
	a := &Approvals{table: t, ttl: 24 * time.Hour}
	if o != nil && o.TTL != 0 {
		a.ttl = o.TTL
	}
	if a.ttl < time.Second {
		return nil, fmt.Errorf("%w: a TTL of %v", ErrInvalid, a.ttl)
	}
	return a, nil
}

// Get returns a request of exactly this scope, strongly consistent. It returns [ErrNotFound] if there is none, and
// [scope.ErrDenied] for the zero Scope.
func (a *Approvals) Get(ctx context.Context, s scope.Scope, id string) (Request, error) {
	view, err := a.table.In(s)
	if err != nil {
		return Request{}, fmt.Errorf("approval: get: %w", err)
	}
	sort, err := sortKey(id)
	if err != nil {
		return Request{}, err
	}
	it, err := view.Get(ctx, sort)
	if err != nil {
		return Request{}, missing(err)
	}
	return parse(s, it)
}

// Decision is what a person says to a request.
type Decision struct {
	// Approve lets the call run.
	Approve bool
	// By is who decided, for the record: 1 to 256 bytes.
	By string
	// Reason is told to the model where the call is declined: at most 1,000 bytes. Default: none.
	Reason string
}

// Decide records a decision on a pending request of exactly this scope, which is the [Request]'s own. It is one read
// and one write. A decision is for good: the same one again changes nothing and is no error, the other one is
// [ErrDecided]; both return the request as it stands. Of two who decide at once, one does. The zero Scope and one that
// may not write are [scope.ErrDenied].
func (a *Approvals) Decide(ctx context.Context, s scope.Scope, id string, d Decision) (Request, error) {
	view, err := a.table.In(s)
	if err == nil {
		err = s.RequireWrite()
	}
	if err != nil {
		return Request{}, fmt.Errorf("approval: decide: %w", err)
	}
	if d.By == "" || !fits(d.By, maxBy) || !fits(d.Reason, maxReason) {
		return Request{}, fmt.Errorf("%w: by %d bytes, for a reason of %d", ErrInvalid, len(d.By), len(d.Reason))
	}
	sort, err := sortKey(id)
	if err != nil {
		return Request{}, err
	}
	it, err := view.Get(ctx, sort)
	if err != nil {
		return Request{}, missing(err)
	}
	r, err := parse(s, it)
	if err != nil {
		return Request{}, err
	}
	if r.Status != Pending {
		return r, r.agrees(d)
	}
	r.Status, r.By, r.Note, r.Decided = Declined, d.By, d.Reason, now()
	if d.Approve {
		r.Status = Approved
	}
	it.Index = nil // only what is pending is listed
	it.Expires = r.Decided.Add(a.ttl)
	r.write(it.Attr)
	stored, err := view.Put(ctx, it, table.Version(it.Version))
	if c, ok := errors.AsType[*table.ConflictError](err); ok {
		if c.Current == nil {
			return Request{}, ErrNotFound
		}
		// Whoever was first has decided: nothing else changes a request.
		if r, err = parse(s, *c.Current); err != nil {
			return Request{}, err
		}
		return r, r.agrees(d)
	}
	if err != nil {
		return Request{}, fmt.Errorf("approval: decide: %w", err)
	}
	return parse(s, stored)
}

// ListOptions configure [Approvals.List]. Nil is valid.
type ListOptions struct {
	// Limit is the most requests of a page, 1 to 100. Default: 50.
	Limit int
	// Cursor is Next of the page before. Default: from the oldest.
	Cursor string
}

// Page is a part of a list.
type Page struct {
	Requests []Request // oldest first
	Next     string    // the cursor of the next page; empty on the last
}

// List returns a page of what is pending in s or below it; there may be fewer requests than the limit, or none, on a
// page that is not the last. At a session's scope and in shared data it is one consistent query, ordered within each
// page. At a user's and a tenant's it is an index query, oldest first, which may be a moment behind, and a read of each
// request, so that none is listed that has been decided.
func (a *Approvals) List(ctx context.Context, s scope.Scope, o *ListOptions) (Page, error) {
	view, err := a.table.In(s)
	if err != nil {
		return Page{}, fmt.Errorf("approval: list: %w", err)
	}
	if o == nil {
		o = &ListOptions{}
	}
	q := table.Query{Limit: o.Limit, Cursor: o.Cursor}
	if q.Limit == 0 {
		q.Limit = 50
	}
	if q.Limit < 1 || q.Limit > 100 {
		return Page{}, fmt.Errorf("%w: a limit of %d", ErrInvalid, o.Limit)
	}
	switch s.Level() {
	case scope.TenantLevel:
		q.Slot, q.Class = table.I2, class
	case scope.UserLevel:
		q.Slot, q.Class = table.I1, class
	default:
		q.From, q.To, q.Consistent = sortPrefix, sortEnd, true
	}
	found, err := view.Query(ctx, q)
	if errors.Is(err, table.ErrCursor) {
		return Page{}, fmt.Errorf("%w: list: %w", ErrInvalid, err)
	}
	if err != nil {
		return Page{}, fmt.Errorf("approval: list: %w", err)
	}
	page := Page{Next: found.Next}
	for _, f := range found.Items {
		r, err := a.listed(ctx, f, q.Slot != 0)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return Page{}, err
		}
		if r.Status == Pending {
			page.Requests = append(page.Requests, r)
		}
	}
	slices.SortStableFunc(page.Requests, func(a, b Request) int { return a.Asked.Compare(b.Asked) })
	return page, nil
}

// listed is the request of a row. An index may hold an old state of it, or not all of it.
func (a *Approvals) listed(ctx context.Context, f table.Found, indexed bool) (Request, error) {
	if !indexed {
		return parse(f.Scope, f.Item)
	}
	id, ok := strings.CutPrefix(f.Item.Sort, sortPrefix)
	if !ok {
		return Request{}, ErrNotFound // somebody else's row: any writer can write any index attribute on its own
	}
	return a.Get(ctx, f.Scope, id)
}

// sortKey returns the sort key of a request. An invalid id gives the same answer as one that does not exist.
func sortKey(id string) (string, error) {
	if !idGrammar.MatchString(id) {
		return "", ErrNotFound
	}
	return sortPrefix + id, nil
}

func missing(err error) error {
	if errors.Is(err, table.ErrNotFound) {
		return ErrNotFound
	}
	return fmt.Errorf("approval: %w", err)
}

func fits(s string, n int) bool { return len(s) <= n && utf8.ValidString(s) }

func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }
