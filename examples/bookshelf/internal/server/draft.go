package server

import (
	"encoding/json"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/book"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/booktools"
	"github.com/carrel-go/carrel/tools"
)

// update returns the field that a successful set_field result sets.
func update(name string, res tools.Result) (book.Update, bool) {
	if name != booktools.SetField || res.IsError || len(res.Blocks) == 0 {
		return book.Update{}, false
	}
	var u book.Update
	if err := json.Unmarshal(res.Blocks[0].JSON, &u); err != nil {
		return book.Update{}, false
	}
	return u, u.Field.Valid()
}

// draft returns the metadata that the conversation's set_field results produce, applied in order.
func draft(h agent.History) book.Metadata {
	var m book.Metadata
	for _, turn := range h.Turns {
		names := make(map[string]string)
		for _, msg := range turn.Messages {
			for _, part := range msg.Parts {
				if part.Use != nil {
					names[part.Use.ID] = part.Use.Name
				}
				if part.Result == nil {
					continue
				}
				if u, ok := update(names[part.Result.ID], part.Result.Result); ok {
					_ = m.Apply(u) // already validated by the tool
				}
			}
		}
	}
	return m
}
