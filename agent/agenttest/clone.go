package agenttest

import (
	"slices"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/tools"
)

// clone returns a deep copy of r. Its slices do not have spare capacity.
func clone(r *agent.Request) *agent.Request {
	c := *r
	c.Messages = mapSlice(r.Messages, func(m agent.Message) agent.Message {
		m.Parts = mapSlice(m.Parts, clonePart)
		return m
	})
	c.Tools = mapSlice(r.Tools, func(s tools.Spec) tools.Spec {
		s.Schema = slices.Clone(s.Schema)
		return s
	})
	return &c
}

func clonePart(p agent.Part) agent.Part {
	if p.Use != nil {
		u := *p.Use
		u.Input = slices.Clone(u.Input)
		p.Use = &u
	}
	if p.Result != nil {
		r := *p.Result
		r.Result.Blocks = mapSlice(r.Result.Blocks, cloneBlock)
		p.Result = &r
	}
	if p.Reasoning != nil {
		r := *p.Reasoning
		r.Redacted = slices.Clone(r.Redacted)
		p.Reasoning = &r
	}
	if p.Citation != nil {
		c := *p.Citation
		c.Quotes = slices.Clone(c.Quotes)
		p.Citation = &c
	}
	p.Image, p.Document, p.Video = cloneMedia(p.Image), cloneMedia(p.Document), cloneMedia(p.Video)
	return p
}

func cloneBlock(b tools.Block) tools.Block {
	b.JSON = slices.Clone(b.JSON)
	b.Image, b.Document, b.Video = cloneMedia(b.Image), cloneMedia(b.Document), cloneMedia(b.Video)
	return b
}

func cloneMedia(m *tools.Media) *tools.Media {
	if m == nil {
		return nil
	}
	c := *m
	c.Bytes = slices.Clone(m.Bytes)
	return &c
}

// mapSlice returns a new slice of the values of f. Nil stays nil.
func mapSlice[T any](s []T, f func(T) T) []T {
	if s == nil {
		return nil
	}
	out := make([]T, len(s))
	for i, v := range s {
		out[i] = f(v)
	}
	return out
}
