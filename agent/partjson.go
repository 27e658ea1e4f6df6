package agent

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tools"
)

// encoder turns messages into their JSON form.
type encoder struct {
	scopes []scope.Scope // whose objects may be named; nil for none
	rich   bool          // set when something was encoded that the first version does not have
}

func (e *encoder) message(m Message) (messageJSON[richPart], error) {
	w := messageJSON[richPart]{Role: m.Role, Parts: make([]richPart, len(m.Parts))}
	for i, p := range m.Parts {
		var err error
		if w.Parts[i], err = e.part(p); err != nil {
			return w, fmt.Errorf("part %d: %w", i, err)
		}
	}
	return w, nil
}

// equal reports whether a and b have the same JSON, which storing does not change.
func (e *encoder) equal(a, b Message) bool {
	encode := func(m Message) []byte {
		w, err := e.message(m)
		if err != nil {
			return nil
		}
		b, err := json.Marshal(w)
		if err != nil {
			return nil
		}
		return b
	}
	one := encode(a)
	return one != nil && bytes.Equal(one, encode(b))
}

func (e *encoder) part(p Part) (w richPart, err error) {
	w.Text = p.Text
	if p.Use != nil {
		w.Use = &useJSON{ID: p.Use.ID, Name: p.Use.Name, Input: p.Use.Input}
	}
	if p.Result != nil {
		if w.Result, err = e.result(p.Result.ID, p.Result.Result); err != nil {
			return w, err
		}
	}
	if g := p.Reasoning; g != nil {
		e.rich = true
		w.Reasoning = &reasoningJSON{Text: g.Text, Signature: g.Signature, Redacted: g.Redacted, Model: g.Model}
	}
	if c := p.Citation; c != nil {
		e.rich = true
		w.Citation = &citationJSON{Text: c.Text, Source: c.Source, Title: c.Title, Quotes: c.Quotes}
		if c.Location != (Location{}) {
			l := locationJSON(c.Location)
			w.Citation.Location = &l
		}
	}
	if w.Image, err = e.media(p.Image); err != nil {
		return w, err
	}
	if w.Document, err = e.media(p.Document); err != nil {
		return w, err
	}
	w.Video, err = e.media(p.Video)
	return w, err
}

func (e *encoder) result(id string, r tools.Result) (*resultJSON[richPiece], error) {
	w := &resultJSON[richPiece]{ID: id, IsError: r.IsError, Summary: r.Summary, Blocks: make([]richPiece, len(r.Blocks))}
	for i, b := range r.Blocks {
		var err error
		piece := &w.Blocks[i]
		if piece.Image, err = e.media(b.Image); err != nil {
			return nil, fmt.Errorf("block %d: %w", i, err)
		}
		if piece.Document, err = e.media(b.Document); err != nil {
			return nil, fmt.Errorf("block %d: %w", i, err)
		}
		if piece.Video, err = e.media(b.Video); err != nil {
			return nil, fmt.Errorf("block %d: %w", i, err)
		}
		switch {
		case b.Image != nil || b.Document != nil || b.Video != nil:
		case b.JSON != nil:
			piece.JSON = b.JSON
		default:
			piece.Text = &b.Text
		}
	}
	return w, nil
}

func (e *encoder) media(m *tools.Media) (*mediaJSON, error) {
	if m == nil {
		return nil, nil
	}
	e.rich = true
	w := &mediaJSON{Format: m.Format, Bytes: m.Bytes}
	if m.Object.IsZero() {
		return w, nil
	}
	if e.scopes == nil {
		return nil, fmt.Errorf("the object %q takes a scope: use Encode", m.Object.Name())
	}
	if !slices.ContainsFunc(e.scopes, func(s scope.Scope) bool { return s.Contains(m.Object.Scope()) }) {
		return nil, fmt.Errorf("the object %q: %w", m.Object.Name(), object.ErrOutside)
	}
	var err error
	w.Object, err = m.Object.MarshalJSON()
	return w, err
}

func decodeMessage(w messageJSON[richPart], roots []*object.Root) (Message, error) {
	m := Message{Role: w.Role, Parts: make([]Part, len(w.Parts))}
	for i, p := range w.Parts {
		var err error
		if m.Parts[i], err = decodePart(p, roots); err != nil {
			return m, fmt.Errorf("part %d: %w", i, err)
		}
	}
	return m, nil
}

func decodePart(w richPart, roots []*object.Root) (p Part, err error) {
	p.Text = w.Text
	if w.Use != nil {
		p.Use = &ToolUse{ID: w.Use.ID, Name: w.Use.Name, Input: w.Use.Input}
	}
	if w.Result != nil {
		r, err := decodeResult(w.Result, roots)
		if err != nil {
			return Part{}, err
		}
		p.Result = &ToolResult{ID: w.Result.ID, Result: r}
	}
	if g := w.Reasoning; g != nil {
		p.Reasoning = &Reasoning{Text: g.Text, Signature: g.Signature, Redacted: g.Redacted, Model: g.Model}
	}
	if c := w.Citation; c != nil {
		p.Citation = &Citation{Text: c.Text, Source: c.Source, Title: c.Title, Quotes: c.Quotes}
		if c.Location != nil {
			p.Citation.Location = Location(*c.Location)
		}
	}
	if p.Image, err = decodeMedia(w.Image, roots); err != nil {
		return Part{}, err
	}
	if p.Document, err = decodeMedia(w.Document, roots); err != nil {
		return Part{}, err
	}
	p.Video, err = decodeMedia(w.Video, roots)
	return p, err
}

func decodeResult(w *resultJSON[richPiece], roots []*object.Root) (tools.Result, error) {
	r := tools.Result{IsError: w.IsError, Summary: w.Summary}
	for i, b := range w.Blocks {
		kinds := 0
		for _, set := range []bool{b.Text != nil, b.JSON != nil, b.Image != nil, b.Document != nil, b.Video != nil} {
			if set {
				kinds++
			}
		}
		if kinds != 1 {
			return tools.Result{}, fmt.Errorf("block %d is not exactly one of text, JSON, image, document and video", i)
		}
		got := tools.Block{JSON: b.JSON}
		if b.Text != nil {
			got.Text = *b.Text
		}
		var err error
		if got.Image, err = decodeMedia(b.Image, roots); err != nil {
			return tools.Result{}, fmt.Errorf("block %d: %w", i, err)
		}
		if got.Document, err = decodeMedia(b.Document, roots); err != nil {
			return tools.Result{}, fmt.Errorf("block %d: %w", i, err)
		}
		if got.Video, err = decodeMedia(b.Video, roots); err != nil {
			return tools.Result{}, fmt.Errorf("block %d: %w", i, err)
		}
		r.Blocks = append(r.Blocks, got)
	}
	return r, nil
}

func decodeMedia(w *mediaJSON, roots []*object.Root) (*tools.Media, error) {
	if w == nil {
		return nil, nil
	}
	m := &tools.Media{Format: w.Format, Bytes: w.Bytes}
	if w.Object == nil {
		return m, nil
	}
	if len(roots) == 0 {
		return nil, errors.New("it names an object, and there is no root to find it in")
	}
	var err error
	_, m.Object, err = object.ParseRef(w.Object, roots...)
	return m, err
}

// encodeState gives the JSON of a State, nil of one that remembers nothing.
func encodeState(s *tools.State) (json.RawMessage, error) {
	if s == nil {
		return nil, nil
	}
	b, err := s.MarshalJSON()
	if err != nil || string(b) == "{}" {
		return nil, err
	}
	return b, nil
}
