package approval

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/carrel-go/carrel/internal/strictjson"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tools"
)

// Ask says whether a call needs approval, and why, in words for the person who decides: at most 1,000 bytes. It may be
// called more than once for a call, and says the same each time.
type Ask func(c *tools.Call) (reason string, needed bool)

// Require returns middleware that lets a call run only once a person has approved it. A nil ask asks for every call.
//
//   - A call that was not asked for yet records a pending request, in one write, and ends with a [tools.PendingError]:
//     nothing has run. So does one whose request is still pending; that is one read.
//   - An approved call runs.
//   - A declined one gives the model a failed result with the person's reason.
//
// A call without an idempotency key ends the run with [ErrNoKey]: there is nothing that an approval could be bound to.
// A call under a scope that may not write ends it with [scope.ErrDenied]: nothing could be recorded.
// A failure of the table is an error, and the call has not run.
//
// Put it outside tools.MaxUses and tools.RetryTransient, and inside tools.Audit. It can be used at once for any number
// of tools and calls.
func (a *Approvals) Require(ask Ask) tools.Middleware {
	if ask == nil {
		ask = func(c *tools.Call) (string, bool) { return fmt.Sprintf("The tool %s asks to run.", c.Name()), true }
	}
	return func(next tools.Handler) tools.Handler {
		return func(ctx context.Context, c *tools.Call) (tools.Result, error) {
			reason, needed := ask(c)
			if !needed {
				return next(ctx, c)
			}
			r, err := a.request(ctx, c, reason)
			if err != nil {
				return tools.Result{}, err
			}
			switch r.Status {
			case Approved:
				return next(ctx, c)
			case Declined:
				return declined(r), nil
			}
			return tools.Result{}, &tools.PendingError{Reason: r.Reason}
		}
	}
}

// declined is what the model is told.
func declined(r Request) tools.Result {
	text := "Not run: a person declined this call."
	if r.Note != "" {
		text += " Their reason: " + r.Note
	}
	return tools.Result{Blocks: []tools.Block{{Text: text}}, Summary: "declined by a person", IsError: true}
}

// request returns the request of a call, which it makes if there is none.
func (a *Approvals) request(ctx context.Context, c *tools.Call, reason string) (Request, error) {
	if err := c.Scope().RequireWrite(); err != nil { // the request is a record under it
		return Request{}, tools.Fatal(fmt.Errorf("approval: ask: %w", err))
	}
	if c.IdempotencyKey() == "" {
		return Request{}, tools.Fatal(ErrNoKey)
	}
	if !fits(reason, maxReason) {
		return Request{}, fmt.Errorf("%w: a reason of %d bytes", ErrInvalid, len(reason))
	}
	args, err := strictjson.Canonical(c.Args())
	if err != nil {
		return Request{}, fmt.Errorf("approval: the arguments are %w", err)
	}
	if len(args) > maxArgs {
		return Request{}, tools.Correct(fmt.Sprintf("Not run: a person has to approve this call, and %d bytes of arguments are too many to look at.", len(args)))
	}
	r := Request{
		Scope: c.Scope(), ID: digest(c.Scope().Partition(), c.IdempotencyKey(), c.Name(), string(args)),
		Tool: c.Name(), Call: c.ID(), Args: args, Reason: reason, Status: Pending, Asked: now(),
	}
	known, err := a.Get(ctx, r.Scope, r.ID)
	if !errors.Is(err, ErrNotFound) {
		return known, err
	}
	view, err := a.table.In(r.Scope)
	if err != nil {
		return Request{}, fmt.Errorf("approval: %w", err)
	}
	it := table.Item{Sort: sortPrefix + r.ID, Expires: r.Asked.Add(a.ttl), Index: r.entries(), Attr: map[string]table.Value{}}
	r.write(it.Attr)
	stored, err := view.Put(ctx, it, table.Absent())
	if conflict, ok := errors.AsType[*table.ConflictError](err); ok && conflict.Current != nil {
		return parse(r.Scope, *conflict.Current) // the same call was asked for at the same time
	}
	if err != nil {
		return Request{}, fmt.Errorf("approval: ask: %w", err)
	}
	return parse(r.Scope, stored)
}

// digest is the SHA-256 of texts, each with its length, so that no two lists of texts are the same bytes.
func digest(texts ...string) string {
	h := sha256.New()
	for _, t := range texts {
		fmt.Fprintf(h, "%d:%s,", len(t), t)
	}
	return hex.EncodeToString(h.Sum(nil))
}
