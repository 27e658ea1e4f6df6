package agent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
)

// Fallback returns a Model that asks the first of the models, and the next one if it fails before its first delta with
// an error that is retryable or has the code [CodeThrottled], [CodeUnavailable] or [CodeTimeout]. An error after a
// delta is final, because the consumer has seen the beginning of an answer. If all models fail, Fallback yields the
// last error, with all errors as its cause.
//
// Each model receives only the reasoning that it signed itself, by the name in its [ModelInfo]. All models must support
// everything else in the request. [New] and [Summarise] reject a Fallback without models or with a nil one.
func Fallback(models ...Model) Model { return fallback(slices.Clone(models)) }

type fallback []Model

var errNoModels = errors.New("agent: the Fallback does not have models")

// Info returns the names of the first model, the strictest limits, and whether all support structured output.
func (f fallback) Info() ModelInfo {
	var info ModelInfo
	for i, m := range f {
		next := describeModel(m)
		if i == 0 {
			info = next
		}
		info.StructuredOutput = info.StructuredOutput && next.StructuredOutput
		info.Limits = info.Limits.strictestOf(next.Limits)
	}
	return info
}

func (f fallback) Stream(ctx context.Context, r *Request) iter.Seq2[Delta, error] {
	return func(yield func(Delta, error) bool) {
		failed := &ModelError{Code: CodeInternal, Message: "The agent does not have a model.",
			Err: errNoModels}
		var causes []error
		for _, m := range f {
			err := attemptModel(ctx, m, r, yield)
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
			causes[len(causes)-1] = failed.Err // all prints its code and message
			all.Err = errors.Join(causes...)
			failed = &all
		}
		yield(nil, failed)
	}
}

// attemptModel yields m's answer. It returns m's error, and yields nothing, if m failed before its first delta and
// another model may succeed.
func attemptModel(ctx context.Context, m Model, r *Request, yield func(Delta, error) bool) *ModelError {
	began := false
	for d, err := range m.Stream(ctx, requestFor(m, r)) {
		if e, ok := errors.AsType[*ModelError](err); ok && !began && isTransient(e) {
			return e
		}
		began = true
		switch p := d.(type) {
		case ReasoningPart:
			d = signReasoning(m, p)
		case UsageReport:
			p.Model = cmp.Or(p.Model, signerName(m))
			d = p
		}
		if !yield(d, err) || err != nil {
			return nil
		}
	}
	return nil
}

func isTransient(e *ModelError) bool {
	return e.Retryable || e.Code == CodeThrottled || e.Code == CodeUnavailable || e.Code == CodeTimeout
}

// signerName returns the name of m as the signer of reasoning, or "" if m does not have one. The models of a [Fallback]
// sign, not the Fallback itself.
func signerName(m Model) string {
	if _, ok := m.(fallback); ok {
		return ""
	}
	return describeModel(m).Model
}

// checkModel returns an error if m is nil, or is a Fallback without models or with such a one.
func checkModel(m Model) error {
	if m == nil {
		return errors.New("agent: the model must not be nil")
	}
	models, ok := m.(fallback)
	if ok && len(models) == 0 {
		return errNoModels
	}
	for i, m := range models {
		if err := checkModel(m); err != nil {
			return fmt.Errorf("%w: model %d of the Fallback", err, i)
		}
	}
	return nil
}

// describeModel returns the info of m, or the zero ModelInfo.
func describeModel(m Model) ModelInfo {
	if d, ok := m.(Described); ok {
		return d.Info()
	}
	return ModelInfo{}
}

// signReasoning sets the model that signed d, unless d names one.
func signReasoning(m Model, d ReasoningPart) ReasoningPart {
	d.Model = cmp.Or(d.Model, signerName(m))
	return d
}

// requestFor returns r without the reasoning of other models than m, because services reject foreign signatures. It
// returns r itself if nothing changes.
func requestFor(m Model, r *Request) *Request {
	if _, ok := m.(fallback); ok {
		return r // it asks each of its models with a separate request
	}
	name := signerName(m)
	foreign := func(p Part) bool { return p.Reasoning != nil && p.Reasoning.Model != name }
	if !slices.ContainsFunc(r.Messages, func(m Message) bool { return slices.ContainsFunc(m.Parts, foreign) }) {
		return r
	}
	own := *r
	own.Messages = make([]Message, 0, len(r.Messages))
	for _, m := range r.Messages {
		if slices.ContainsFunc(m.Parts, foreign) {
			m.Parts = slices.DeleteFunc(slices.Clone(m.Parts), foreign)
		}
		if len(m.Parts) > 0 {
			own.Messages = joinMessages(own.Messages, m)
		}
	}
	return &own
}
