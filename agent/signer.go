package agent

import (
	"cmp"
	"slices"
)

// signer returns the name of m as the signer of reasoning, or "" if m does not have one. The models of a [Fallback] sign,
// not the Fallback itself.
func signer(m Model) string {
	if _, ok := m.(fallback); ok {
		return ""
	}
	return describe(m).Model
}

// describe returns the info of m, or the zero ModelInfo.
func describe(m Model) ModelInfo {
	if d, ok := m.(Described); ok {
		return d.Info()
	}
	return ModelInfo{}
}

// sign sets the model that signed d, unless d names one.
func sign(m Model, d ReasoningPart) ReasoningPart {
	d.Model = cmp.Or(d.Model, signer(m))
	return d
}

// requestFor returns r without the reasoning of other models than m, because services reject foreign signatures. It
// returns r itself if nothing changes.
func requestFor(m Model, r *Request) *Request {
	if _, ok := m.(fallback); ok {
		return r // it asks each of its models with a separate request
	}
	name := signer(m)
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
			own.Messages = join(own.Messages, m)
		}
	}
	return &own
}

// join appends m to ms. Messages of one role in a row become one, so that roles alternate.
func join(ms []Message, m Message) []Message {
	if n := len(ms); n > 0 && ms[n-1].Role == m.Role {
		ms[n-1].Parts = slices.Concat(ms[n-1].Parts, m.Parts)
		return ms
	}
	return append(ms, m)
}
