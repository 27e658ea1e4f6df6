package agent

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tools"
)

// checkpointVersion is the version of a checkpoint's JSON that this package writes, and the only one that it reads.
// Checkpoints live as long as a run, so a newer program need not read those of an older one. Version 1 had no keys.
const checkpointVersion = 2

type checkpointJSON struct {
	Version  int                    `json:"v"`
	Run      string                 `json:"run"`
	Scope    string                 `json:"scope,omitempty"`
	Turn     int                    `json:"turn"`
	Turns    int                    `json:"turns"`
	Prompt   *messageJSON[richPart] `json:"prompt,omitempty"`
	Answer   *messageJSON[richPart] `json:"answer,omitempty"`
	Calls    []callJSON             `json:"calls,omitempty"`
	Notes    []string               `json:"notes,omitempty"`
	State    json.RawMessage        `json:"state,omitempty"`
	Usage    usageJSON              `json:"usage"`
	Called   int                    `json:"called"`
	Failing  int                    `json:"failing"`
	Complete bool                   `json:"complete,omitempty"`
	Output   json.RawMessage        `json:"output,omitempty"`
	Trace    string                 `json:"trace,omitempty"`
}

type callJSON struct {
	Index  int                    `json:"index"`
	Key    string                 `json:"key,omitempty"`    // of a call that is still to be made
	Result *resultJSON[richPiece] `json:"result,omitempty"` // its id is the call's
}

type usageJSON struct {
	Input      int64 `json:"input"`
	Output     int64 `json:"output"`
	CacheRead  int64 `json:"cache_read"`
	CacheWrite int64 `json:"cache_write"`
}

// Encode returns the checkpoint as one JSON object, {"v":2,"run":…,"turn":…, …}, with its messages in the form of
// [Turn.Encode]. It returns an error if the checkpoint is of another scope than s, or names an object outside s and the
// other scopes. The bytes are not authenticated: see [Checkpoint].
func (c *Checkpoint) Encode(s scope.Scope, others ...scope.Scope) ([]byte, error) {
	b, err := c.encode(s, others)
	if err != nil {
		return nil, fmt.Errorf("agent: encode checkpoint: %w", err)
	}
	return b, nil
}

func (c *Checkpoint) encode(s scope.Scope, others []scope.Scope) ([]byte, error) {
	if c.Scope.Partition() != s.Partition() {
		return nil, errors.New("it is of another scope")
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	e := encoder{scopes: append([]scope.Scope{s}, others...)}
	w := checkpointJSON{
		Version: checkpointVersion, Run: c.Run, Turn: c.turn, Turns: c.Turns, Notes: c.notes, Usage: usageJSON(c.usage),
		Called: c.called, Failing: c.failing, Complete: c.Complete, Output: c.output,
		Trace: c.trace,
	}
	if s.Level() != scope.None {
		w.Scope = s.Partition()
	}
	var err error
	for _, m := range []struct {
		from *Message
		to   **messageJSON[richPart]
	}{{c.prompt, &w.Prompt}, {c.answer, &w.Answer}} {
		if m.from == nil {
			continue
		}
		encoded, err := e.message(*m.from)
		if err != nil {
			return nil, err
		}
		*m.to = &encoded
	}
	for i, u := range c.uses() {
		call := callJSON{Index: c.calls[i].index, Key: c.calls[i].key}
		if had := c.calls[i].result; had != nil {
			if call.Result, err = e.result(u.ID, *had); err != nil {
				return nil, fmt.Errorf("call %d: %w", i, err)
			}
		}
		w.Calls = append(w.Calls, call)
	}
	if w.State, err = encodeState(c.state); err != nil {
		return nil, err
	}
	return json.Marshal(w)
}

// DecodeCheckpoint decodes what [Checkpoint.Encode] returns and rejects everything else: another version
// (*[VersionError]), unknown fields, a scope that lies outside root ([object.ErrOutside]), an object that lies outside
// root and the other roots, values that no run could have reached. A nil root holds no objects.
func DecodeCheckpoint(b []byte, root *object.Root, others ...*object.Root) (*Checkpoint, error) {
	c, err := decodeCheckpoint(b, root, present(root, others))
	if err != nil {
		return nil, fmt.Errorf("agent: decode checkpoint: %w", err)
	}
	return c, nil
}

func decodeCheckpoint(b []byte, root *object.Root, roots []*object.Root) (*Checkpoint, error) {
	doc, version, err := parseVersioned(b)
	if err != nil {
		return nil, err
	}
	if version != checkpointVersion {
		return nil, &VersionError{Version: version, Supported: []int{checkpointVersion}}
	}
	var w checkpointJSON
	if err := doc.Decode(&w); err != nil {
		return nil, err
	}
	c := &Checkpoint{
		Run: w.Run, turn: w.Turn, Turns: w.Turns, notes: w.Notes, state: &tools.State{}, usage: Usage(w.Usage),
		called: w.Called, failing: w.Failing, Complete: w.Complete, output: w.Output,
		trace: w.Trace,
	}
	if w.Scope != "" {
		if c.Scope, err = scope.ParsePartition(w.Scope); err != nil {
			return nil, err
		}
		if root != nil && !root.Scope().Contains(c.Scope) {
			return nil, object.ErrOutside
		}
	}
	for _, m := range []struct {
		from *messageJSON[richPart]
		to   **Message
	}{{w.Prompt, &c.prompt}, {w.Answer, &c.answer}} {
		if m.from == nil {
			continue
		}
		decoded, err := decodeMessage(*m.from, roots)
		if err != nil {
			return nil, err
		}
		*m.to = &decoded
	}
	if c.calls, err = decodeCalls(w.Calls, c.uses(), roots); err != nil {
		return nil, err
	}
	if w.State != nil {
		if err := c.state.UnmarshalJSON(w.State); err != nil {
			return nil, err
		}
	}
	return c, c.check()
}

// decodeCalls returns how far the calls of an answer have come.
func decodeCalls(w []callJSON, uses []*ToolUse, roots []*object.Root) ([]callState, error) {
	var calls []callState
	for i, call := range w {
		state := callState{index: call.Index, key: call.Key}
		if call.Result != nil {
			if i >= len(uses) || call.Result.ID != uses[i].ID {
				return nil, fmt.Errorf("call %d has another's result", i)
			}
			r, err := decodeResult(call.Result, roots)
			if err != nil {
				return nil, fmt.Errorf("call %d: %w", i, err)
			}
			state.result = &r
		}
		calls = append(calls, state)
	}
	return calls, nil
}
