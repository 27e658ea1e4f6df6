package agenttest

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/tools"
)

// request is r as it is recorded.
func (v *vault) request(r *agent.Request) request {
	w := request{System: v.wire(r.System), MaxTokens: r.MaxTokens, Cache: r.Cache, Messages: []message{}}
	if r.Choice != (agent.Choice{}) {
		w.Choice = &choice{Any: r.Choice.Any, Name: text(r.Choice.Name)}
	}
	for _, s := range r.Tools {
		t := spec{Name: text(s.Name), Description: v.wire(s.Description)}
		t.Schema, t.Raw = v.split(s.Schema)
		w.Tools = append(w.Tools, t)
	}
	for _, m := range r.Messages {
		wm := message{Role: text(m.Role), Parts: []part{}}
		for _, p := range m.Parts {
			wm.Parts = append(wm.Parts, v.part(p))
		}
		w.Messages = append(w.Messages, wm)
	}
	return w
}

func (v *vault) wire(s string) text { return text(v.text(s)) }

func (v *vault) part(p agent.Part) part {
	w := part{Text: v.wire(p.Text), Image: v.media(p.Image), Document: v.media(p.Document), Video: v.media(p.Video)}
	if p.Use != nil {
		w.Use = v.use(*p.Use)
	}
	if p.Reasoning != nil {
		w.Reasoning = v.reasoning(*p.Reasoning)
	}
	if p.Citation != nil {
		w.Citation = v.citation(*p.Citation)
	}
	if p.Result != nil {
		res := p.Result.Result
		w.Result = &result{ID: text(p.Result.ID), IsError: res.IsError, Blocks: []block{}}
		for _, b := range res.Blocks {
			w.Result.Blocks = append(w.Result.Blocks, v.block(b))
		}
		w.Result.Summary = v.wire(res.Summary)
	}
	return w
}

func (v *vault) block(b tools.Block) block {
	w := block{Text: v.wire(b.Text), Image: v.media(b.Image), Document: v.media(b.Document), Video: v.media(b.Video)}
	w.JSON, w.Raw = v.split(b.JSON)
	return w
}

func (v *vault) media(m *tools.Media) *media {
	if m == nil {
		return nil
	}
	w := &media{Format: text(m.Format)}
	if m.Object.IsZero() {
		w.SHA256, w.Size = digest(m.Bytes), len(m.Bytes)
	} else {
		w.Object = v.wire(m.Object.Name())
	}
	return w
}

func (v *vault) use(u agent.ToolUse) *use {
	w := &use{ID: text(u.ID), Name: text(u.Name)}
	w.Input, w.Raw = v.split(u.Input)
	return w
}

func (v *vault) reasoning(r agent.Reasoning) *reasoning {
	return &reasoning{Text: v.wire(r.Text), Signature: text(r.Signature), Redacted: r.Redacted}
}

func (v *vault) citation(c agent.Citation) *citation {
	w := &citation{Text: v.wire(c.Text), Source: v.wire(c.Source), Title: v.wire(c.Title)}
	for _, q := range c.Quotes {
		w.Quotes = append(w.Quotes, v.wire(q))
	}
	if l := c.Location; l != (agent.Location{}) {
		w.Location = &location{Kind: text(l.Kind), Index: l.Index, Start: l.Start, End: l.End, URL: v.wire(l.URL), Domain: v.wire(l.Domain)}
	}
	return w
}

// answer is an answer as it is recorded. A secret may have come in pieces, so pieces are looked at together; where
// that finds one, they become one piece.
func (v *vault) answer(deltas []agent.Delta) []delta {
	whole := v.join(deltas)
	out := []delta{}
	for i, d := range deltas {
		safe, changed := whole[i]
		if changed && safe == nil {
			continue // it is in the first of its group
		}
		out = append(out, v.delta(d, safe))
	}
	return out
}

// group is pieces that belong together: of one text, or of one call's arguments.
type group struct{ kind, id string }

// join looks at the pieces of an answer together. For those of a group that holds a secret it gives the redacted
// whole to the first and nil to the others.
func (v *vault) join(deltas []agent.Delta) map[int]*string {
	var (
		order   []group
		content = map[group]string{}
		pieces  = map[group][]int{}
		block   = 0 // text before a call or a block of reasoning is not one with that after it
	)
	add := func(i int, g group, s string) {
		if _, ok := content[g]; !ok {
			order = append(order, g)
		}
		content[g] += s
		pieces[g] = append(pieces[g], i)
	}
	for i, d := range deltas {
		switch d := d.(type) {
		case agent.TextPart:
			add(i, group{"text", fmt.Sprint(block)}, d.Text)
		case agent.ReasoningDelta:
			add(i, group{"reasoning", fmt.Sprint(block)}, d.Text)
		case agent.UseDelta:
			add(i, group{"use", d.ID}, d.Input)
		case agent.UsePart, agent.ReasoningPart, agent.CitationPart:
			block++
		}
	}
	out := map[int]*string{}
	for _, g := range order {
		safe := v.text(content[g])
		if safe == content[g] {
			continue
		}
		for _, i := range pieces[g] {
			out[i] = nil
		}
		out[pieces[g][0]] = &safe
	}
	return out
}

// delta is one piece as it is recorded; safe is its text where that is not its own.
func (v *vault) delta(d agent.Delta, safe *string) delta {
	say := func(s string) text {
		if safe != nil {
			return text(*safe)
		}
		return text(s)
	}
	switch d := d.(type) {
	case agent.TextPart:
		return delta{Text: say(d.Text)}
	case agent.ReasoningDelta:
		return delta{ReasoningDelta: say(d.Text)}
	case agent.UseDelta:
		return delta{UseDelta: &useDelta{ID: text(d.ID), Name: text(d.Name), Input: say(d.Input)}}
	case agent.ReasoningPart:
		return delta{Reasoning: v.reasoning(d.Reasoning)}
	case agent.CitationPart:
		return delta{Citation: v.citation(d.Citation)}
	case agent.SkippedPart:
		kind := text(d.Kind)
		return delta{Skipped: &kind}
	case agent.UsePart:
		return delta{Use: v.use(d.ToolUse)}
	case agent.UsagePart:
		u := usage(d.Usage)
		return delta{Usage: &u}
	case agent.StopPart:
		reason := text(d.Reason)
		return delta{Stop: &reason}
	}
	return delta{} // a nil Delta: an empty piece of text is as little
}

func (v *vault) failure(err error) *failure {
	if e, ok := errors.AsType[*agent.ModelError](err); ok {
		f := &failure{Code: text(e.Code), Message: v.wire(e.Message), Retryable: e.Retryable}
		if e.Err != nil {
			f.Cause = v.wire(e.Err.Error())
		}
		return f
	}
	return &failure{Cause: v.wire(err.Error())}
}

func (f *failure) error() error {
	var cause error
	if f.Cause != "" {
		cause = errors.New(string(f.Cause))
	}
	if f.Code == "" && f.Message == "" && cause != nil {
		return cause
	}
	return &agent.ModelError{Code: agent.Code(f.Code), Message: string(f.Message), Retryable: f.Retryable, Err: cause}
}

// delta is the piece that was recorded.
func (d delta) delta() agent.Delta {
	switch {
	case d.ReasoningDelta != "":
		return agent.ReasoningDelta{Text: string(d.ReasoningDelta)}
	case d.Reasoning != nil:
		return agent.ReasoningPart{Reasoning: agent.Reasoning{
			Text: string(d.Reasoning.Text), Signature: string(d.Reasoning.Signature), Redacted: d.Reasoning.Redacted}}
	case d.Citation != nil:
		return agent.CitationPart{Citation: d.Citation.citation()}
	case d.Skipped != nil:
		return agent.SkippedPart{Kind: string(*d.Skipped)}
	case d.UseDelta != nil:
		return agent.UseDelta{ID: string(d.UseDelta.ID), Name: string(d.UseDelta.Name), Input: string(d.UseDelta.Input)}
	case d.Use != nil:
		input := d.Use.Input
		if d.Use.Raw != "" {
			input = json.RawMessage(d.Use.Raw)
		}
		return agent.UsePart{ToolUse: agent.ToolUse{ID: string(d.Use.ID), Name: string(d.Use.Name), Input: input}}
	case d.Usage != nil:
		return agent.UsagePart{Usage: agent.Usage(*d.Usage)}
	case d.Stop != nil:
		return agent.StopPart{Reason: agent.Reason(*d.Stop)}
	}
	return agent.TextPart{Text: string(d.Text)}
}

func (c *citation) citation() agent.Citation {
	out := agent.Citation{Text: string(c.Text), Source: string(c.Source), Title: string(c.Title)}
	for _, q := range c.Quotes {
		out.Quotes = append(out.Quotes, string(q))
	}
	if l := c.Location; l != nil {
		out.Location = agent.Location{Kind: string(l.Kind), Index: l.Index, Start: l.Start, End: l.End,
			URL: string(l.URL), Domain: string(l.Domain)}
	}
	return out
}
