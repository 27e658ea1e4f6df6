package booktools

import (
	"encoding/json"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/book"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/draft"
	"github.com/carrel-go/carrel/tools"
)

// ReadUpdate returns the update in a result of the named tool. It returns false if the tool is not set_field, if the
// result is an error, or if it is not an update of a known field.
func ReadUpdate(tool string, r tools.Result) (draft.Update, bool) {
	if tool != SetField || r.IsError || len(r.Blocks) == 0 {
		return draft.Update{}, false
	}
	raw := r.Blocks[0].JSON
	if raw == nil { // some models receive JSON as text
		raw = json.RawMessage(r.Blocks[0].Text)
	}
	var u draft.Update
	if err := json.Unmarshal(raw, &u); err != nil {
		return draft.Update{}, false
	}
	return u, u.Field.Valid()
}

// Updates returns the set_field results in the turns, in order.
func Updates(turns ...agent.Turn) []draft.Update {
	var updates []draft.Update
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
					updates = append(updates, u)
				}
			}
		}
	}
	return updates
}

// Findings returns what set_field has done in a conversation.
func Findings(h agent.History) (draft.Findings, error) {
	f := draft.Findings{Updates: Updates(h.Turns...)}
	if h.State == nil {
		return f, nil
	}
	_, err := h.State.Get(replacedState, &f.Replaced)
	return f, err
}

// Draft returns the metadata that results from the set_field results in the turns. It ignores invalid values.
func Draft(turns ...agent.Turn) book.Metadata {
	return draft.Merge(draft.Findings{Updates: Updates(turns...)}, draft.Edits{}).Metadata
}
