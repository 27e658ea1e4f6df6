package booktools

import (
	"encoding/json"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/book"
	"github.com/carrel-go/carrel/tools"
)

// ReadUpdate returns the update in a result of the named tool. It returns false if the tool is not set_field, if the
// result is an error, or if it is not an update of a known field.
func ReadUpdate(tool string, r tools.Result) (book.Update, bool) {
	if tool != SetField || r.IsError || len(r.Blocks) == 0 {
		return book.Update{}, false
	}
	raw := r.Blocks[0].JSON
	if raw == nil { // some models receive JSON as text
		raw = json.RawMessage(r.Blocks[0].Text)
	}
	var u book.Update
	if err := json.Unmarshal(raw, &u); err != nil {
		return book.Update{}, false
	}
	return u, u.Field.Valid()
}

// Draft applies the set_field results in the turns, in order, and returns the resulting metadata. It ignores invalid
// values.
func Draft(turns ...agent.Turn) book.Metadata {
	var draft book.Metadata
	tool := make(map[string]string) // by the id of the call; a later answer may reuse an id
	for _, t := range turns {
		for _, m := range t.Messages {
			for _, p := range m.Parts {
				if p.Use != nil {
					tool[p.Use.ID] = p.Use.Name
				}
				if p.Result == nil {
					continue
				}
				if u, ok := ReadUpdate(tool[p.Result.ID], p.Result.Result); ok {
					_ = draft.Apply(u) // leaves the draft unchanged if the value is invalid
				}
			}
		}
	}
	return draft
}
