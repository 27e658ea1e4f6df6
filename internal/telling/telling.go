// Package telling reads what the events of a run tell a person, so that tests can compare it with what the run did.
package telling

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/sse/replay"
	"github.com/carrel-go/carrel/tools"
)

// Telling is what a client shows after it has read the events of a run and has applied the retractions.
type Telling struct {
	Types       []string // of the events that were not taken back
	Text        string
	Calls       []Call
	Approvals   []string // ids of the requests
	Tokens      int64
	Retractions int
	Last        string // the last event
}

// Call is a call of a tool with its result.
type Call struct {
	ID, Name, Input, Summary, Output string
	IsError, HasResult               bool
}

// event contains the members of all events that Read needs.
type event struct {
	Type, ID, Name, Delta, After, Summary, Outcome string

	Input        json.RawMessage
	Output       json.RawMessage
	IsError      bool   `json:"is_error"`
	Approval     string `json:"approval_id"`
	InputTokens  int64  `json:"input_tokens"`
	OutputTokens int64  `json:"output_tokens"`
}

// Read returns what the events of runs tell, of which each continues the one before. It returns an error if the ids of a
// run do not increase, if a run does not have exactly one last event, or if a call is not told once with one result. A
// call may be without a result if the last run is pending.
func Read(runs ...[]replay.Event) (Telling, error) {
	var tell Telling
	pending := false
	for n, events := range runs {
		kept, err := tell.retract(events)
		if err != nil {
			return tell, fmt.Errorf("run %d: %w", n+1, err)
		}
		pending = false
		for i, e := range kept {
			isLast := i == len(kept)-1
			if err := tell.add(e.Data, isLast, &pending); err != nil {
				return tell, fmt.Errorf("run %d: %s %s: %w", n+1, e.ID, e.Data, err)
			}
		}
	}
	for _, c := range tell.Calls {
		if !c.HasResult && !pending {
			return tell, fmt.Errorf("the call %s does not have a result", c.ID)
		}
	}
	return tell, nil
}

// retract returns the events of a run that were not taken back.
func (tell *Telling) retract(events []replay.Event) (kept []replay.Event, _ error) {
	last := ""
	for _, e := range events {
		if e.ID <= last {
			return nil, fmt.Errorf("the event %s follows %s", e.ID, last)
		}
		last = e.ID
		var d event
		if err := json.Unmarshal(e.Data, &d); err != nil {
			return nil, err
		}
		if d.Type != "retract" {
			kept = append(kept, e)
			continue
		}
		tell.Retractions++
		for len(kept) > 0 && kept[len(kept)-1].ID > d.After {
			kept = kept[:len(kept)-1]
		}
	}
	if len(kept) == 0 {
		return nil, errors.New("it tells nothing")
	}
	return kept, nil
}

// add adds one event.
func (tell *Telling) add(raw json.RawMessage, isLast bool, pending *bool) error {
	var d event
	if err := json.Unmarshal(raw, &d); err != nil {
		return err
	}
	tell.Types, tell.Last = append(tell.Types, d.Type), string(raw)
	switch d.Type {
	case "text_delta":
		tell.Text += d.Delta
	case "tool_call":
		if tell.find(d.ID) != nil {
			return errors.New("the call is told twice")
		}
		tell.Calls = append(tell.Calls, Call{ID: d.ID, Name: d.Name, Input: compactJSON(d.Input)})
	case "tool_result":
		c := tell.find(d.ID)
		if c == nil || c.HasResult {
			return errors.New("the call does not have one call and one result")
		}
		c.HasResult, c.Summary, c.IsError = true, d.Summary, d.IsError
		var blocks []tools.Block
		if d.Output != nil && json.Unmarshal(d.Output, &blocks) == nil {
			c.Output = printBlocks(blocks)
		}
	case "approval_requested":
		tell.Approvals = append(tell.Approvals, d.Approval)
	case "usage":
		tell.Tokens += d.InputTokens + d.OutputTokens
	case "finished", "failed", "complete", "error":
		*pending = d.Outcome == "pending"
		if !isLast {
			return errors.New("events follow the last one")
		}
		return nil
	}
	if isLast {
		return errors.New("the last event is missing")
	}
	return nil
}

func (tell *Telling) find(id string) *Call {
	for i := range tell.Calls {
		if tell.Calls[i].ID == id {
			return &tell.Calls[i]
		}
	}
	return nil
}

// Remember returns what the turns of a conversation tell: the text of the model and its calls with their results.
func Remember(turns []agent.Turn) (Telling, error) {
	var tell Telling
	for _, turn := range turns {
		for _, m := range turn.Messages {
			for _, part := range m.Parts {
				if err := tell.addPart(m.Role, part); err != nil {
					return tell, err
				}
			}
		}
	}
	for _, c := range tell.Calls {
		if !c.HasResult {
			return tell, fmt.Errorf("the call %s does not have a result", c.ID)
		}
	}
	return tell, nil
}

// addPart adds a part of a message.
func (tell *Telling) addPart(role agent.Role, part agent.Part) error {
	switch {
	case part.Use != nil:
		if tell.find(part.Use.ID) != nil {
			return fmt.Errorf("the call %s is made twice", part.Use.ID)
		}
		tell.Calls = append(tell.Calls, Call{ID: part.Use.ID, Name: part.Use.Name, Input: compactJSON(part.Use.Input)})
	case part.Result != nil:
		c := tell.find(part.Result.ID)
		if c == nil || c.HasResult {
			return fmt.Errorf("the call %s does not have one call and one result", part.Result.ID)
		}
		c.HasResult, c.Summary, c.IsError = true, part.Result.Summary, part.Result.IsError
		c.Output = printBlocks(part.Result.Blocks)
	case role == agent.RoleAssistant:
		tell.Text += part.Text
	}
	return nil
}

// printBlocks returns the texts and the JSON of blocks.
func printBlocks(blocks []tools.Block) (s string) {
	for _, b := range blocks {
		s += b.Text + compactJSON(b.JSON)
	}
	return s
}

func compactJSON(raw json.RawMessage) string {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return string(raw)
	}
	return b.String()
}
