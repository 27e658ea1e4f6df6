package approval

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/carrel-go/carrel/internal/strictjson"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tools"
)

// Ask decides whether a call needs approval. The reason is for the person who decides, and has at most 1,000 bytes. If
// the call is impossible, such as the loan of a book that does not exist, Ask returns an error, and nobody is asked:
// the call ends with that error, so return a [tools.Correct] for the model. The arguments of c fit the tool's schema
// already.
//
// Ask may run more than once for a call, before and after the decision. The request keeps the first reason. A
// call runs without an approval as soon as Ask does not require one any more, whatever a person has decided.
type Ask func(ctx context.Context, c *tools.Call) (reason string, needed bool, err error)

// Require returns middleware that runs a call only after a person has approved it. If ask is nil, each call needs
// approval.
//
//   - A new call stores a pending request in one write and ends with a [tools.PendingError]. The tool does not run.
//   - A call whose request is pending ends in the same way. That takes one read.
//   - An approved call runs.
//   - A declined call returns a failed result with the person's reason to the model.
//
// A call without an idempotency key ends the run with [ErrInvalid], because an approval is bound to that key: give the
// run an id. A call under a read-only scope ends the run with [scope.ErrDenied], because it cannot store a request. An
// operation of the table that fails is repeated for about ten seconds, so that an approval is not lost. Then the call
// ends with that error, and the tool does not run.
//
// Put the middleware inside tools.Audit and outside tools.MaxUses and tools.RetryTransient. It can serve any number of
// tools and calls at once.
func (a *Approvals) Require(ask Ask) tools.Middleware {
	if ask == nil {
		ask = askAlways
	}
	retry := tools.RetryTransient(storeAttempts)
	return func(next tools.Handler) tools.Handler {
		return func(ctx context.Context, c *tools.Call) (tools.Result, error) {
			reason, needed, err := ask(ctx, c)
			if err != nil {
				return tools.Result{}, err
			}
			if !needed {
				return next(ctx, c)
			}
			var r Request
			_, err = retry(func(ctx context.Context, c *tools.Call) (_ tools.Result, err error) {
				r, err = a.ensureRequest(ctx, c, reason)
				return tools.Result{}, err
			})(ctx, c)
			if err != nil {
				return tools.Result{}, err
			}
			switch r.Status {
			case StatusApproved:
				return next(ctx, c)
			case StatusDeclined:
				return declinedResult(r), nil
			}
			return tools.Result{}, &tools.PendingError{Reason: r.Reason, Approval: r.ID, Expires: r.Expires}
		}
	}
}

// storeAttempts is how often an operation of the table is tried, see [tools.RetryTransient].
const storeAttempts = 8

func askAlways(_ context.Context, c *tools.Call) (string, bool, error) {
	return fmt.Sprintf("The tool %s asks to run.", c.Name()), true, nil
}

func declinedResult(r Request) tools.Result {
	text := "Not run: a person declined this call."
	if r.Note != "" {
		text += " Their reason: " + r.Note
	}
	return tools.Result{Blocks: []tools.Block{{Text: text}}, Summary: "declined by a person", IsError: true}
}

// ensureRequest returns the request of a call, and stores it if it does not exist yet.
func (a *Approvals) ensureRequest(ctx context.Context, c *tools.Call, reason string) (Request, error) {
	r, err := newRequest(c, reason)
	if err != nil {
		return Request{}, err
	}
	known, err := a.Get(ctx, r.Scope, r.ID)
	if !errors.Is(err, ErrNotFound) {
		return known, transient(err)
	}
	view, err := a.table.In(r.Scope)
	if err != nil {
		return Request{}, fmt.Errorf("approval: ask: %w", err)
	}
	it := table.Item{Sort: sortPrefix + r.ID, Expires: r.Asked.Add(a.ttl), Index: r.indexEntries(),
		Attr: map[string]table.Value{}}
	r.setAttributes(it.Attr)
	stored, err := view.Put(ctx, it, table.Absent())
	if conflict, ok := errors.AsType[*table.ConflictError](err); ok && conflict.Current != nil {
		return parseItem(r.Scope, *conflict.Current) // the same call was made at the same time
	}
	if err != nil {
		return Request{}, transient(fmt.Errorf("approval: ask: %w", err))
	}
	return parseItem(r.Scope, stored)
}

// transient returns an error of the table so that the operation is repeated, unless it would return the same error.
func transient(err error) error {
	for _, final := range []error{scope.ErrDenied, errForeign, table.ErrInvalid, table.ErrTooLarge} {
		if errors.Is(err, final) {
			return err
		}
	}
	return tools.Transient(err)
}

// newRequest returns the pending request of a call, or an error if the call cannot have one.
func newRequest(c *tools.Call, reason string) (Request, error) {
	if err := c.Scope().RequireWrite(); err != nil { // the request is stored under it
		return Request{}, tools.Fatal(fmt.Errorf("approval: ask: %w", err))
	}
	if c.IdempotencyKey() == "" {
		return Request{}, tools.Fatal(fmt.Errorf("%w: the call does not have an idempotency key: give the run an id",
			ErrInvalid))
	}
	if !isShortText(reason, maxReason) {
		return Request{}, fmt.Errorf("%w: the reason has %d bytes, must be at most %d, in UTF-8", ErrInvalid, len(reason),
			maxReason)
	}
	args, err := strictjson.Canonical(c.Args())
	if err != nil {
		return Request{}, fmt.Errorf("approval: the arguments are %w", err)
	}
	if len(args) > maxArgs {
		return Request{}, tools.Correct(fmt.Sprintf("Not run: a person must approve this call, and %d bytes of arguments "+
			"are too many to look at. "+
			"Send at most %d bytes.", len(args), maxArgs))
	}
	return Request{
		Scope: c.Scope(), ID: digestTexts(c.Scope().Partition(), c.IdempotencyKey(), c.Name(), string(args)),
		Tool: c.Name(), Call: c.ID(), Args: args, Reason: reason, Status: StatusPending, Asked: currentTime(),
	}, nil
}

// digestTexts returns the SHA-256 of texts. Each is prefixed with its length, so that different lists differ.
func digestTexts(texts ...string) string {
	h := sha256.New()
	for _, t := range texts {
		fmt.Fprintf(h, "%d:%s,", len(t), t)
	}
	return hex.EncodeToString(h.Sum(nil))
}
