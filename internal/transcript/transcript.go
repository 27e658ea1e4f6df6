// Package transcript makes transcripts of runs from their events and from their history, so that tests can compare
// them.
package transcript

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/sse/replay"
	"github.com/carrel-go/carrel/tools"
)

// Transcript contains the text and the calls of a run, as a client shows them.
type Transcript struct {
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

// event contains the members that FromLog needs, of all events.
type event struct {
	Type, ID, Name, Delta, After, Summary, Outcome string

	Input        json.RawMessage
	Output       json.RawMessage
	IsError      bool   `json:"is_error"`
	Approval     string `json:"approval_id"`
	InputTokens  int64  `json:"input_tokens"`
	OutputTokens int64  `json:"output_tokens"`
}

// FromLog returns the transcript of runs, of which each continues the one before, after their retractions. It returns
// an error if the ids of a run do not increase, if a run does not have exactly one last event, or if a call does not
// occur once with one result. A call may be without a result if the last run is pending.
func FromLog(runs ...[]replay.Event) (Transcript, error) {
	var tr Transcript
	pending := false
	for n, events := range runs {
		kept, err := tr.retract(events)
		if err != nil {
			return tr, fmt.Errorf("run %d: %w", n+1, err)
		}
		pending = false
		for i, e := range kept {
			isLast := i == len(kept)-1
			if err := tr.add(e.Data, isLast, &pending); err != nil {
				return tr, fmt.Errorf("run %d: %s %s: %w", n+1, e.ID, e.Data, err)
			}
		}
	}
	for _, c := range tr.Calls {
		if !c.HasResult && !pending {
			return tr, fmt.Errorf("the call %s does not have a result", c.ID)
		}
	}
	return tr, nil
}

// retract returns the events of a run that were not taken back.
func (tr *Transcript) retract(events []replay.Event) (kept []replay.Event, _ error) {
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
		tr.Retractions++
		for len(kept) > 0 && kept[len(kept)-1].ID > d.After {
			kept = kept[:len(kept)-1]
		}
	}
	if len(kept) == 0 {
		return nil, errors.New("no events are left")
	}
	return kept, nil
}

// add adds one event.
func (tr *Transcript) add(raw json.RawMessage, isLast bool, pending *bool) error {
	var d event
	if err := json.Unmarshal(raw, &d); err != nil {
		return err
	}
	tr.Types, tr.Last = append(tr.Types, d.Type), string(raw)
	switch d.Type {
	case "text_delta":
		tr.Text += d.Delta
	case "tool_call":
		if tr.find(d.ID) != nil {
			return errors.New("the call occurs twice")
		}
		tr.Calls = append(tr.Calls, Call{ID: d.ID, Name: d.Name, Input: compactJSON(d.Input)})
	case "tool_result":
		c := tr.find(d.ID)
		if c == nil || c.HasResult {
			return errors.New("the call does not have one call and one result")
		}
		c.HasResult, c.Summary, c.IsError = true, d.Summary, d.IsError
		var blocks []tools.Block
		if d.Output != nil && json.Unmarshal(d.Output, &blocks) == nil {
			c.Output = printBlocks(blocks)
		}
	case "approval_requested":
		tr.Approvals = append(tr.Approvals, d.Approval)
	case "usage":
		tr.Tokens += d.InputTokens + d.OutputTokens
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

func (tr *Transcript) find(id string) *Call {
	for i := range tr.Calls {
		if tr.Calls[i].ID == id {
			return &tr.Calls[i]
		}
	}
	return nil
}

// FromTurns returns the text of the model and its calls with their results.
func FromTurns(turns []agent.Turn) (Transcript, error) {
	var tr Transcript
	for _, turn := range turns {
		for _, m := range turn.Messages {
			for _, part := range m.Parts {
				if err := tr.addPart(m.Role, part); err != nil {
					return tr, err
				}
			}
		}
	}
	for _, c := range tr.Calls {
		if !c.HasResult {
			return tr, fmt.Errorf("the call %s does not have a result", c.ID)
		}
	}
	return tr, nil
}

func (tr *Transcript) addPart(role agent.Role, part agent.Part) error {
	switch {
	case part.Use != nil:
		if tr.find(part.Use.ID) != nil {
			return fmt.Errorf("the call %s is made twice", part.Use.ID)
		}
		tr.Calls = append(tr.Calls, Call{ID: part.Use.ID, Name: part.Use.Name, Input: compactJSON(part.Use.Input)})
	case part.Result != nil:
		c := tr.find(part.Result.ID)
		if c == nil || c.HasResult {
			return fmt.Errorf("the call %s does not have one call and one result", part.Result.ID)
		}
		c.HasResult, c.Summary, c.IsError = true, part.Result.Summary, part.Result.IsError
		c.Output = printBlocks(part.Result.Blocks)
	case role == agent.RoleAssistant:
		tr.Text += part.Text
	}
	return nil
}

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
