package draft

import (
	"bytes"
	"maps"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/book"
)

// Source is the origin of the value of a field.
type Source string

// The sources.
const (
	Found Source = "found" // the agent has found it on the photo or looked it up
	Told  Source = "told"  // a person has said it in a message
	Typed Source = "typed" // a person has typed it, or cleared the field
)

// Update is a field that the agent has set.
type Update struct {
	book.Update

	// Source is empty for Found. An update with the source Typed repeats the value of an edit.
	Source Source `json:"source,omitempty"`
	// Origin is the name of the look-up source that has the value, for example "Open Library". It is only set for Found.
	Origin string `json:"origin,omitempty"`
}

// Findings are the updates of the agent in a conversation.
type Findings struct {
	Updates []Update // in order
	// Replaced has, by field, the revision of the newest edit that the agent has replaced.
	Replaced map[book.Field]int64
}

// Draft is the present state of a card.
type Draft struct {
	Metadata book.Metadata
	// Sources has an entry for each field that is set, and for each field that a person has cleared.
	Sources map[book.Field]Source
	// Origins has the name of the look-up source for each field whose value such a source has.
	Origins map[book.Field]string
	// Texts has, by field, text that a person has typed and that is not a valid value yet. Metadata does not have such a
	// field.
	Texts map[book.Field]string
}

// Merge returns the draft that results from the agent's findings and a person's edits. It ignores invalid updates.
func Merge(found Findings, e Edits) Draft {
	d := Draft{
		Sources: make(map[book.Field]Source), Origins: make(map[book.Field]string), Texts: make(map[book.Field]string),
	}
	for _, u := range found.Updates {
		if u.Source == Typed || d.Metadata.Apply(u.Update) != nil {
			continue
		}
		if u.Source == "" {
			u.Source = Found
		}
		d.set(u.Field, u.Source, u.Origin)
	}
	for f, edit := range e.InForce(found.Replaced) {
		if d.Metadata.Apply(book.Update{Field: f, Value: edit.Value}) == nil {
			d.Sources[f] = Typed
			delete(d.Origins, f)
			if edit.Text != "" {
				d.Texts[f] = edit.Text
			}
		}
	}
	return d
}

// set records the source and the origin of a field, unless the update has cleared it.
func (d *Draft) set(f book.Field, s Source, origin string) {
	delete(d.Sources, f)
	delete(d.Origins, f)
	if _, ok := d.Metadata.Get(f); !ok {
		return
	}
	d.Sources[f] = s
	if origin != "" && s == Found {
		d.Origins[f] = origin
	}
}

// Edit returns the edits after a person has changed the draft of the findings and e to m, and to texts that are not
// values yet, of fields that m does not have. A field is typed if it has a text or if it differs from the agent's
// value, and stays typed as long as it does not change. If nothing changes, Edit returns e.
func (e Edits) Edit(findings Findings, m book.Metadata, texts map[book.Field]string) Edits {
	before, found := Merge(findings, e), Merge(findings, Edits{})
	next := Edits{revision: e.revision + 1, version: e.version, fields: make(map[book.Field]Edit)}
	for _, f := range book.Fields() {
		value, text := valueOf(m, f), texts[f]
		switch {
		case before.Sources[f] == Typed && text == before.Texts[f] && bytes.Equal(value, valueOf(before.Metadata, f)):
			next.fields[f] = e.fields[f]
		case text != "":
			next.fields[f] = Edit{valueOf(book.Metadata{}, f), text, next.revision}
		case !bytes.Equal(value, valueOf(found.Metadata, f)):
			next.fields[f] = Edit{Value: value, Revision: next.revision}
		}
	}
	if maps.EqualFunc(next.fields, e.fields, func(a, b Edit) bool { return a.Revision == b.Revision }) {
		return e
	}
	return next
}

// valueOf returns the value of a field, or null.
func valueOf(m book.Metadata, f book.Field) []byte {
	if raw, ok := m.Get(f); ok {
		return raw
	}
	return []byte("null")
}
