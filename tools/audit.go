package tools

import (
	"context"
	"encoding/json"
	"errors"
	"runtime/debug"
	"time"

	"github.com/carrel-go/carrel/scope"
)

// AuditRecord describes one call.
type AuditRecord struct {
	// Tool is the name under which the tool was called, and Call the call's id in the conversation.
	Tool, Call string
	// IdempotencyKey is the same if the run makes the same call again. It is empty if the run does not have an id.
	IdempotencyKey string
	// Scope is the scope of the call.
	Scope scope.Scope
	// Input is the redacted arguments: JSON with names in order. Texts are truncated to 256 characters. Arguments that are
	// still larger than 8,192 bytes are replaced by their size.
	Input json.RawMessage
	// Summary is the Summary of the result, truncated like a text of Input. It is not redacted. It is empty if the call
	// returned an error.
	Summary string
	// Began is the time at which the call reached this middleware, and Took its duration since then.
	Began time.Time
	Took  time.Duration
	// Outcome classifies how the call ended. It is one of
	//
	//	ok          a result
	//	error       a result with IsError set
	//	correction  a [CorrectionError]
	//	timeout     an error after the deadline of [Timeout]
	//	pending     a [PendingError]: the call did not run
	//	failed      any other error
	//	fatal       a [FatalError]
	//	cancelled   the error of a context that had ended
	//	panic       a panic
	Outcome string
	// Err is the error, for the log. It is not redacted. It is nil if the call returned a result.
	Err error
}

// AuditOptions configures [Audit]. A nil *AuditOptions is valid.
type AuditOptions struct {
	// Redact lists property names, in any case, whose values are left out at any depth. Names that contain a word for a
	// secret are always redacted: password, passwd, pwd, passphrase, secret, token, credential, authorization, cookie,
	// pin, otp, or api, private or access followed by key. Plurals are redacted too, except tokens, which is a count.
	Redact []string
}

// Audit calls sink once for each call, after the call has ended with a result, an error or a panic, or because the run
// was cancelled. sink runs on the goroutine of the call, with a context that is not cancelled with the run. Concurrent
// calls call it concurrently. The result waits for sink, so it must be quick, and it must not panic.
//
// Audit does not see calls that do not run because their arguments are invalid or the tool is not offered: the agent
// reports those to its auditor. The call of a function that ignores its context is recorded when the function returns.
//
// Put Audit outermost, so that each call has one record, which includes refusals by the other middleware. Inside
// [RetryTransient] each attempt has one. Audit returns an error if sink is nil.
func Audit(sink func(context.Context, AuditRecord), o *AuditOptions) (Middleware, error) {
	if sink == nil {
		return nil, errors.New("tools: audit: sink must not be nil")
	}
	r := newRedactor(o)
	return func(next Handler) Handler {
		return func(ctx context.Context, c *Call) (res Result, err error) {
			rec := AuditRecord{
				Tool: c.Name(), Call: c.ID(), IdempotencyKey: c.IdempotencyKey(), Scope: c.Scope(),
				Input: r.redactInput(c.Args()), Began: time.Now(), Outcome: "panic",
			}
			returned := false
			defer func() {
				rec.Took = time.Since(rec.Began)
				if returned {
					sink(context.WithoutCancel(ctx), rec)
					return
				}
				v := recover()
				rec.Err = &PanicError{Value: v, Stack: debug.Stack()} // v is nil after runtime.Goexit
				sink(context.WithoutCancel(ctx), rec)
				if v != nil {
					panic(v) // keeps the stack of the first panic
				}
			}()
			res, err = next(ctx, c)
			returned = true
			rec.Outcome, rec.Err = classifyOutcome(ctx, res, err), err
			if err == nil {
				if rec.Summary = res.Summary; rec.Summary == "" {
					rec.Summary = res.makeSummary()
				}
				rec.Summary = truncateText(rec.Summary)
			}
			return res, err
		}
	}, nil
}

func classifyOutcome(ctx context.Context, res Result, err error) string {
	switch {
	case err == nil && res.IsError:
		return "error"
	case err == nil:
		return "ok"
	case hasType[*FatalError](err):
		return "fatal"
	case hasType[*PendingError](err):
		return "pending"
	case hasType[*PanicError](err):
		return "panic"
	case hasType[*timeoutError](err):
		return "timeout"
	case hasType[*CorrectionError](err):
		return "correction"
	case ctx.Err() != nil && errors.Is(err, ctx.Err()), ctx.Err() != nil && errors.Is(err, context.Cause(ctx)):
		return "cancelled"
	}
	return "failed"
}
