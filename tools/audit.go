package tools

import (
	"context"
	"encoding/json"
	"errors"
	"runtime/debug"
	"time"

	"github.com/carrel-go/carrel/scope"
)

// Outcome is how a call ended.
type Outcome string

// The outcomes.
const (
	OutcomeOK         Outcome = "ok"         // a result
	OutcomeError      Outcome = "error"      // a result that says that the call failed
	OutcomeCorrection Outcome = "correction" // an error that the model should mend
	OutcomeTimeout    Outcome = "timeout"    // a [TimeoutError]
	OutcomePending    Outcome = "pending"    // not run yet: it waits for something outside the run
	OutcomeFailed     Outcome = "failed"     // any other error
	OutcomeFatal      Outcome = "fatal"      // an error that ends the run
	OutcomeCancelled  Outcome = "cancelled"  // an error after the context had ended
	OutcomePanic      Outcome = "panic"      // a panic
)

// AuditRecord is one call in the trail of what tools did.
type AuditRecord struct {
	// Tool is the name under which the tool was called, and Call the call's id in the conversation.
	Tool, Call string
	// IdempotencyKey is the same for the same call of the same run. Empty if the run has no id.
	IdempotencyKey string
	// Scope is within which the call ran.
	Scope scope.Scope
	// Input are the arguments, redacted: JSON, with names in order.
	Input json.RawMessage
	// Summary is the result's one line, cut like a text of Input. Empty if there was no result.
	Summary string
	// Began is when the call reached this middleware, and Took how long it then needed.
	Began   time.Time
	Took    time.Duration
	Outcome Outcome
	// Err is the error, for the log: it is not redacted. Nil if there was a result.
	Err error
}

// AuditOptions configure [Audit]. Nil is valid.
type AuditOptions struct {
	// Redact are names of properties, in any case, whose values are left out wherever they stand, besides those that
	// hold one of the words password, passwd, passphrase, secret, token, credential, credentials, authorization, cookie
	// or pin. Default: none.
	Redact []string
	// MaxText is how many characters of a text are kept. Default: 256.
	MaxText int
	// MaxInput is how many bytes the redacted input may have; a longer one is replaced by its size. Default: 8,192.
	MaxInput int
}

// Audit tells sink of every call that reaches it, once and after it has ended, however it ended: with a result, an
// error, a panic, or because the run was cancelled. sink is called on the call's goroutine, at the same time for calls
// that run at once, with a context that is not cancelled when the run is; the call's result waits for it, so it is to
// be quick. What it does with the record is its own concern, and it must not panic.
//
// What is not recorded: a call whose arguments do not fit, or of a tool that is not offered, has not run; the agent
// reports it to its auditor. A function that ignores its context is recorded when it returns.
//
// Put it outermost, so that it sees what the model is told and what the other middleware refuses: then one call is
// one record. Inside [RetryTransient] each attempt is one. It panics if an option is negative or sink is nil.
func Audit(sink func(context.Context, AuditRecord), o *AuditOptions) Middleware {
	r := newRedactor(o)
	if sink == nil {
		panic("tools: audit without a sink")
	}
	return func(next Handler) Handler {
		return func(ctx context.Context, c *Call) (res Result, err error) {
			rec := AuditRecord{
				Tool: c.Name(), Call: c.ID(), IdempotencyKey: c.IdempotencyKey(), Scope: c.Scope(),
				Input: r.input(c.Args()), Began: time.Now(), Outcome: OutcomePanic,
			}
			returned := false
			defer func() {
				rec.Took = time.Since(rec.Began)
				if returned {
					sink(context.WithoutCancel(ctx), rec)
					return
				}
				v := recover()
				rec.Err = &PanicError{Value: v, Stack: debug.Stack()} // v is nil if the goroutine is being ended
				sink(context.WithoutCancel(ctx), rec)
				if v != nil {
					panic(v) // goes on from where it was: the stack is still there
				}
			}()
			res, err = next(ctx, c)
			returned = true
			rec.Outcome, rec.Err = outcome(ctx, res, err), err
			if err == nil {
				if rec.Summary = res.Summary; rec.Summary == "" {
					rec.Summary = res.summary()
				}
				rec.Summary = r.cut(rec.Summary)
			}
			return res, err
		}
	}
}

func outcome(ctx context.Context, res Result, err error) Outcome {
	switch {
	case err == nil && res.IsError:
		return OutcomeError
	case err == nil:
		return OutcomeOK
	case is[*FatalError](err):
		return OutcomeFatal
	case is[*PendingError](err):
		return OutcomePending
	case is[*PanicError](err):
		return OutcomePanic
	case is[*TimeoutError](err):
		return OutcomeTimeout
	case is[*CorrectionError](err):
		return OutcomeCorrection
	case ctx.Err() != nil && errors.Is(err, ctx.Err()), ctx.Err() != nil && errors.Is(err, context.Cause(ctx)):
		return OutcomeCancelled
	}
	return OutcomeFailed
}
