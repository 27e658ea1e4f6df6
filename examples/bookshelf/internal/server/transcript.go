package server

import (
	"encoding/json"
	"strings"

	"github.com/carrel-go/carrel/agent"
)

// entry is one piece of a transcript: a text, or a call with its result.
type entry struct {
	Role  agent.Role      `json:"role"`
	Text  string          `json:"text,omitempty"`
	ID    string          `json:"id,omitempty"`
	Name  string          `json:"name,omitempty"`
	Input json.RawMessage `json:"input,omitempty"`

	Summary string `json:"summary,omitempty"`
	IsError bool   `json:"is_error,omitempty"`
	// IsMissing is set if the tool does not exist on this machine.
	IsMissing bool `json:"unavailable,omitempty"`
}

// buildTranscript returns the entries of a conversation, without the prompt that precedes what the person wrote.
func (s *Server) buildTranscript(turns []agent.Turn) []entry { return listEntries(turns, s.o.Prompt) }

// listEntries returns the entries of a conversation, without a prompt that precedes what the person wrote.
func listEntries(turns []agent.Turn, prompt string) []entry {
	list := []entry{}
	calls := map[string]int{} // positions in list; a later answer may use an id again
	for _, t := range turns {
		for _, m := range t.Messages {
			for _, p := range m.Parts {
				switch text := strings.TrimPrefix(strings.TrimPrefix(p.Text, prompt), "\n\n"); {
				case text != "":
					list = append(list, entry{Role: m.Role, Text: text})
				case p.Use != nil:
					calls[p.Use.ID] = len(list)
					list = append(list, entry{Role: m.Role, ID: p.Use.ID, Name: p.Use.Name, Input: p.Use.Input})
				case p.Result != nil:
					if i, ok := calls[p.Result.ID]; ok {
						list[i].Summary, list[i].IsError = p.Result.Summary, p.Result.IsError
						list[i].IsMissing = isUnavailable(p.Result.Blocks)
					}
				}
			}
		}
	}
	return list
}
