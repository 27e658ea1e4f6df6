package aisdk

import (
	"encoding/json"
	"strings"

	"github.com/carrel-go/carrel/agent/internal/runlog"
)

// output is the output of a call that is not a single text or JSON value.
type output struct {
	Summary   string         `json:"summary"`
	Blocks    []runlog.Block `json:"blocks,omitempty"`
	Truncated bool           `json:"truncated,omitempty"`
}

// encodeOutput returns the output of a call: what its tool returned, if that is one text or one JSON value.
func encodeOutput(e *runlog.Event) (json.RawMessage, error) {
	blocks, err := e.Blocks()
	if err != nil {
		return nil, err
	}
	if len(blocks) == 1 && !e.Truncated {
		switch b := blocks[0]; {
		case len(b.JSON) > 0:
			return encodeValue(b.JSON), nil
		case b.Text != "":
			return json.Marshal(b.Text)
		}
	}
	raw, err := json.Marshal(output{e.Summary, blocks, e.Truncated})
	return encodeValue(raw), err
}

// errorText returns why a call failed.
func errorText(e *runlog.Event) (string, error) {
	blocks, err := e.Blocks()
	if err != nil {
		return "", err
	}
	var texts []string
	for _, b := range blocks {
		if b.Text != "" {
			texts = append(texts, b.Text)
		}
	}
	if len(texts) == 0 {
		texts = []string{e.Summary}
	}
	if text := strings.Join(texts, "\n"); text != "" {
		return text, nil
	}
	return "The call failed.", nil
}
