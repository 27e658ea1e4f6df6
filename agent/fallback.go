package agent

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"
)

// Fallback is a Model that asks the first of these, and the next one where that fails before its first delta in a way
// that is not the request's fault: its error is retryable, or its code is [CodeThrottled], [CodeUnavailable] or [CodeTimeout].
// After a delta an error is an error, since the consumer has seen the beginning of an answer. Where all fail the error
// is the last one's, with all of them as its cause.
//
// Each model is sent only the reasoning that it signed itself, by the name in its [ModelInfo]. What else the request asks
// for, they all must support.
func Fallback(models ...Model) Model { return fallback(slices.Clone(models)) }

type fallback []Model

// Info returns the first model's names, and what all of them support: structured output, and the strictest limits.
func (f fallback) Info() ModelInfo {
	var info ModelInfo
	for i, m := range f {
		next := describe(m)
		if i == 0 {
			info = next
		}
		info.StructuredOutput = info.StructuredOutput && next.StructuredOutput
		info.Limits = info.Limits.strictest(next.Limits)
	}
	return info
}

func (f fallback) Stream(ctx context.Context, r *Request) iter.Seq2[Delta, error] {
	return func(yield func(Delta, error) bool) {
		failed := &ModelError{Code: CodeInternal, Message: "There is no model.", Err: errors.New("agent: a fallback without models")}
		var causes []error
		for _, m := range f {
			err := attempt(ctx, m, r, yield)
			if err == nil {
				return
			}
			failed = err
			causes = append(causes, err)
			if ctx.Err() != nil {
				break
			}
		}
		if len(causes) > 1 {
			all := *failed
			causes[len(causes)-1] = failed.Err // its code and message are printed already
			all.Err = errors.Join(causes...)
			failed = &all
		}
		yield(nil, failed)
	}
}

// attempt passes m's answer on. Where m failed before its first delta, and another model may do better, nothing has
// been passed on and its error is returned.
func attempt(ctx context.Context, m Model, r *Request, yield func(Delta, error) bool) *ModelError {
	began := false
	for d, err := range m.Stream(ctx, requestFor(m, r)) {
		if e, ok := errors.AsType[*ModelError](err); ok && !began && transient(e) {
			return e
		}
		began = true
		switch p := d.(type) {
		case ReasoningPart:
			d = sign(m, p)
		case UsageReport:
			p.Model = cmp.Or(p.Model, signer(m))
			d = p
		}
		if !yield(d, err) || err != nil {
			return nil
		}
	}
	return nil
}

func transient(e *ModelError) bool {
	return e.Retryable || e.Code == CodeThrottled || e.Code == CodeUnavailable || e.Code == CodeTimeout
}
