package agent

import (
	"encoding/json"
	"fmt"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tools"
)

type checkpointJSON struct {
	Run       string `json:"run"`
	Partition string `json:"scope,omitempty"`
	Turns     int    `json:"turns"`
	moment
}

// MarshalJSON returns the checkpoint as one JSON object, with its messages in the form of [Turn.MarshalJSON]. The bytes
// are not authenticated: see [Checkpoint].
func (c *Checkpoint) MarshalJSON() ([]byte, error) {
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("agent: marshal checkpoint: %w", err)
	}
	got := checkpointJSON{Run: c.Run, Turns: c.Turns, moment: c.at}
	if c.scope.Level() != scope.None {
		got.Partition = c.scope.Partition()
	}
	return json.Marshal(got)
}

// UnmarshalJSON reads what MarshalJSON returns and rejects everything else, such as unknown fields and values that no
// run could have reached. Its objects are unresolved, and a run rejects them until [Checkpoint.Resolve] has found them
// in a Root. On an error c is unchanged.
func (c *Checkpoint) UnmarshalJSON(raw []byte) error {
	var got checkpointJSON
	if err := decodeObject(raw, &got); err != nil {
		return fmt.Errorf("agent: unmarshal checkpoint: %w", err)
	}
	if got.State == nil {
		got.State = &tools.State{}
	}
	decoded := Checkpoint{Run: got.Run, Turns: got.Turns, at: got.moment}
	err := decoded.check()
	if err == nil && got.Partition != "" {
		decoded.scope, err = scope.ParsePartition(got.Partition) // only to be compared with a run's
	}
	if err != nil {
		return fmt.Errorf("agent: unmarshal checkpoint: %w", err)
	}
	*c = decoded
	return nil
}

// Resolve returns c with each object of a decoded checkpoint resolved through the first of the roots that contains it.
// It returns an error that wraps [object.ErrOutside] if none does. c does not change.
func (c *Checkpoint) Resolve(roots ...*object.Root) (*Checkpoint, error) {
	resolved, err := c.resolve(roots)
	if err != nil {
		return nil, fmt.Errorf("agent: resolve checkpoint: %w", err)
	}
	return resolved, nil
}

func (c *Checkpoint) resolve(roots []*object.Root) (*Checkpoint, error) {
	resolved := *c
	if c.at.Prompt != nil {
		prompt, err := c.at.Prompt.resolve(roots)
		if err != nil {
			return nil, fmt.Errorf("prompt: %w", err)
		}
		resolved.at.Prompt = &prompt
	}
	resolved.at.Calls = make([]callState, len(c.at.Calls))
	for i, call := range c.at.Calls {
		if call.Result != nil {
			got, err := call.Result.Resolve(roots...)
			if err != nil {
				return nil, fmt.Errorf("call %d: %w", i, err)
			}
			call.Result = &got
		}
		resolved.at.Calls[i] = call
	}
	return &resolved, nil
}
