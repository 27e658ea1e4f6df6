package approval

import (
	"context"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

// Options configures [New]. A nil *Options is valid.
type Options struct {
	// TTL is how long a request waits for its decision, and how long the decision then applies. Afterwards the request
	// does not exist, and the same call makes a new one. At least one second; zero means 24 hours.
	TTL time.Duration
}

// Approvals stores requests in a table. It is safe for concurrent use by many goroutines and processes: each change is
// one conditional write. Errors of the table are returned wrapped.
type Approvals struct {
	table *table.Table
	ttl   time.Duration
}

// New returns Approvals that stores its requests in t. It returns [ErrInvalid] if t is nil or the TTL is less than a
// second.
func New(t *table.Table, o *Options) (*Approvals, error) {
	if t == nil {
		return nil, fmt.Errorf("%w: the table must not be nil", ErrInvalid)
	}
	a := &Approvals{table: t, ttl: 24 * time.Hour}
	if o != nil && o.TTL != 0 {
		a.ttl = o.TTL
	}
	if a.ttl < time.Second {
		return nil, fmt.Errorf("%w: TTL is %v, must be at least 1s", ErrInvalid, a.ttl)
	}
	return a, nil
}

// Get returns the request of exactly this scope, by a consistent read. It returns [ErrNotFound] if the request does not
// exist, and [scope.ErrDenied] for the zero Scope.
func (a *Approvals) Get(ctx context.Context, s scope.Scope, id string) (Request, error) {
	_, _, r, err := a.readRequest(ctx, s, id)
	return r, err
}

// readRequest returns the request, its item, and the view that it was read from.
func (a *Approvals) readRequest(ctx context.Context, s scope.Scope,
	id string) (*table.View, table.Item, Request, error) {
	view, err := a.table.In(s)
	if err != nil {
		return nil, table.Item{}, Request{}, fmt.Errorf("approval: get: %w", err)
	}
	it, err := table.Item{}, table.ErrNotFound
	if idPattern.MatchString(id) { // an invalid id and one that does not exist get the same answer
		it, err = view.Get(ctx, sortPrefix+id)
	}
	if errors.Is(err, table.ErrNotFound) {
		return nil, table.Item{}, Request{}, ErrNotFound
	}
	if err != nil {
		return nil, table.Item{}, Request{}, fmt.Errorf("approval: get: %w", err)
	}
	r, err := parseItem(s, it)
	return view, it, r, err
}

// Decision is a person's decision on a [Request].
type Decision struct {
	// Approve lets the call run.
	Approve bool
	// By names the person, for the record: 1 to 256 bytes.
	By string
	// Reason is shown to the model if the call is declined: at most 1,000 bytes. It may be empty.
	Reason string
}

// Decide records a decision on a pending request. s must be the request's own scope, [Request].Scope. Decide costs one
// read and at most one write. A decision is permanent: repeating it changes nothing and is not an error, and the
// opposite one returns [ErrDecided]. Both return the current request. Of concurrent decisions, the first one written
// counts. Decide returns [scope.ErrDenied] for the zero Scope and for a read-only one.
func (a *Approvals) Decide(ctx context.Context, s scope.Scope, id string, d Decision) (Request, error) {
	if err := s.RequireWrite(); err != nil {
		return Request{}, fmt.Errorf("approval: decide: %w", err)
	}
	if d.By == "" || !isShortText(d.By, maxBy) || !isShortText(d.Reason, maxReason) {
		return Request{}, fmt.Errorf("%w: By has %d bytes and Reason %d, must be 1 to %d and at most %d, in UTF-8",
			ErrInvalid, len(d.By), len(d.Reason), maxBy, maxReason)
	}
	view, it, r, err := a.readRequest(ctx, s, id)
	if err != nil {
		return Request{}, err
	}
	if r.Status == StatusPending {
		r.Status, r.By, r.Note, r.Decided = StatusDeclined, d.By, d.Reason, currentTime()
		if d.Approve {
			r.Status = StatusApproved
		}
		it.Index = nil // only pending requests are listed
		it.Expires = r.Decided.Add(a.ttl)
		r.setAttributes(it.Attr)
		it, err = view.Put(ctx, it, table.Version(it.Version))
		if c, ok := errors.AsType[*table.ConflictError](err); ok {
			if c.Current == nil {
				return Request{}, ErrNotFound
			}
			it, err = *c.Current, nil // only a decision changes a request, so somebody else has decided
		}
		if err != nil {
			return Request{}, fmt.Errorf("approval: decide: %w", err)
		}
		if r, err = parseItem(s, it); err != nil {
			return Request{}, err
		}
	}
	if d.Approve != (r.Status == StatusApproved) {
		return r, ErrDecided
	}
	return r, nil
}

// isShortText reports whether s is UTF-8 of at most n bytes.
func isShortText(s string, n int) bool { return len(s) <= n && utf8.ValidString(s) }

// currentTime returns the time in the precision that requests are stored with.
func currentTime() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }
