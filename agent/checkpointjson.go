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
// Checkpoints live as long as a run, so a newer program need not read those of an older one.
const checkpointVersion = 1

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
}

type callJSON struct {
	Index  int                    `json:"index"`
	Result *resultJSON[richPiece] `json:"result,omitempty"` // its id is the call's
}

type usageJSON struct {
	Input      int64 `json:"input"`
	Output     int64 `json:"output"`
	CacheRead  int64 `json:"cache_read"`
	CacheWrite int64 `json:"cache_write"`
}

// Encode writes the checkpoint as one JSON object, {"v":1,"run":…,"turn":…, …}, with its messages in the form that
// [Turn.Encode] says. A checkpoint of another scope than s, or with an object that s does not contain, is an error.
func (c *Checkpoint) Encode(s scope.Scope) ([]byte, error) {
	b, err := c.encode(s)
	if err != nil {
		return nil, fmt.Errorf("agent: encode checkpoint: %w", err)
	}
	return b, nil
}

func (c *Checkpoint) encode(s scope.Scope) ([]byte, error) {
	if c.Scope != s {
		return nil, errors.New("it is of another scope")
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	e := encoder{scope: s, refs: true}
	w := checkpointJSON{
		Version: checkpointVersion, Run: c.Run, Turn: c.Turn, Turns: c.Turns, Notes: c.Notes, Usage: usageJSON(c.Usage),
		Called: c.Called, Failing: c.Failing, Complete: c.Complete, Output: c.Output,
	}
	if s.Level() != scope.None {
		w.Scope = s.Partition()
	}
	var err error
	for _, m := range []struct {
		from *Message
		to   **messageJSON[richPart]
	}{{c.Prompt, &w.Prompt}, {c.Answer, &w.Answer}} {
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
		call := callJSON{Index: c.Calls[i].Index}
		if had := c.Calls[i].Result; had != nil {
			if call.Result, err = e.result(u.ID, *had); err != nil {
				return nil, fmt.Errorf("call %d: %w", i, err)
			}
		}
		w.Calls = append(w.Calls, call)
	}
	if w.State, err = encodeState(c.State); err != nil {
		return nil, err
	}
	return json.Marshal(w)
}

// DecodeCheckpoint reads what [Checkpoint.Encode] writes, and refuses everything else: another version, unknown fields,
// what is no moment of a run, a scope or an object that lies outside root ([object.ErrOutside]). A nil root holds no
// objects. A run resumes it only if it is its own.
func DecodeCheckpoint(b []byte, root *object.Root) (*Checkpoint, error) {
	c, err := decodeCheckpoint(b, root)
	if err != nil {
		return nil, fmt.Errorf("agent: decode checkpoint: %w", err)
	}
	return c, nil
}

func decodeCheckpoint(b []byte, root *object.Root) (*Checkpoint, error) {
	version, err := versionOf(b)
	if err != nil {
		return nil, err
	}
	if version != checkpointVersion {
		return nil, fmt.Errorf("version %d, want %d", version, checkpointVersion)
	}
	var w checkpointJSON
	if err := strict(b, &w); err != nil {
		return nil, err
	}
	c := &Checkpoint{
		Run: w.Run, Turn: w.Turn, Turns: w.Turns, Notes: w.Notes, State: &tools.State{}, Usage: Usage(w.Usage),
		Called: w.Called, Failing: w.Failing, Complete: w.Complete, Output: w.Output,
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
	}{{w.Prompt, &c.Prompt}, {w.Answer, &c.Answer}} {
		if m.from == nil {
			continue
		}
		decoded, err := decodeMessage(*m.from, root)
		if err != nil {
			return nil, err
		}
		*m.to = &decoded
	}
	uses := c.uses()
	for i, call := range w.Calls {
		state := CallState{Index: call.Index}
		if call.Result != nil {
			if i >= len(uses) || call.Result.ID != uses[i].ID {
				return nil, fmt.Errorf("call %d has another's result", i)
			}
			r, err := decodeResult(call.Result, root)
			if err != nil {
				return nil, fmt.Errorf("call %d: %w", i, err)
			}
			state.Result = &r
		}
		c.Calls = append(c.Calls, state)
	}
	if w.State != nil {
		if err := c.State.UnmarshalJSON(w.State); err != nil {
			return nil, err
		}
	}
	return c, c.check()
}
