package agent

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/carrel-go/carrel/tools"
)

// turnVersion is the version of a turn's JSON that this package writes, and the only one that it reads.
const turnVersion = 1

type turnJSON struct {
	Version  int           `json:"v"`
	Messages []messageJSON `json:"messages"`
}

type messageJSON struct {
	Role  Role       `json:"role"`
	Parts []partJSON `json:"parts"`
}

type partJSON struct {
	Text   string      `json:"text,omitempty"`
	Use    *useJSON    `json:"use,omitempty"`
	Result *resultJSON `json:"result,omitempty"`
}

type useJSON struct {
	ID    string          `json:"id"`
	Name  string          `json:"name"`
	Input json.RawMessage `json:"input"`
}

type resultJSON struct {
	ID      string      `json:"id"`
	IsError bool        `json:"is_error,omitempty"`
	Summary string      `json:"summary,omitempty"`
	Blocks  []blockJSON `json:"blocks"`
}

type blockJSON struct {
	Text *string         `json:"text,omitempty"`
	JSON json.RawMessage `json:"json,omitempty"`
}

// MarshalJSON writes the turn as
//
//	{"v":1,"messages":[{"role":"user","parts":[{"text":"…"}]},
//	  {"role":"assistant","parts":[{"use":{"id":"…","name":"…","input":{…}}}]},
//	  {"role":"user","parts":[{"result":{"id":"…","blocks":[{"json":…}],"summary":"…","is_error":true}}]}]}
//
// A turn that is not whole, a call without its result above all, is an error. The JSON of arguments and results
// keeps its meaning; white space within it goes.
func (t Turn) MarshalJSON() ([]byte, error) {
	if err := t.check(); err != nil {
		return nil, fmt.Errorf("agent: marshal turn: %w", err)
	}
	w := turnJSON{Version: turnVersion, Messages: make([]messageJSON, len(t.Messages))}
	for i, m := range t.Messages {
		w.Messages[i] = messageJSON{Role: m.Role, Parts: make([]partJSON, len(m.Parts))}
		for j, p := range m.Parts {
			w.Messages[i].Parts[j] = encodePart(p)
		}
	}
	return json.Marshal(w)
}

// UnmarshalJSON reads what [Turn.MarshalJSON] writes, and refuses everything else: another version, unknown fields,
// a turn that is not whole. On an error t is unchanged.
func (t *Turn) UnmarshalJSON(b []byte) error {
	var w turnJSON
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	err := dec.Decode(&w)
	if err == nil {
		if _, more := dec.Token(); more != io.EOF {
			err = errors.New("more than one JSON value")
		}
	}
	if err == nil && w.Version != turnVersion {
		err = fmt.Errorf("version %d, want %d", w.Version, turnVersion)
	}
	if err != nil {
		return fmt.Errorf("agent: unmarshal turn: %w", err)
	}
	got := Turn{Messages: make([]Message, len(w.Messages))}
	for i, m := range w.Messages {
		got.Messages[i] = Message{Role: m.Role, Parts: make([]Part, len(m.Parts))}
		for j, p := range m.Parts {
			if got.Messages[i].Parts[j], err = decodePart(p); err != nil {
				return fmt.Errorf("agent: unmarshal turn: message %d: part %d: %w", i, j, err)
			}
		}
	}
	if err := got.check(); err != nil {
		return fmt.Errorf("agent: unmarshal turn: %w", err)
	}
	*t = got
	return nil
}

func encodePart(p Part) partJSON {
	w := partJSON{Text: p.Text}
	if p.Use != nil {
		w.Use = &useJSON{ID: p.Use.ID, Name: p.Use.Name, Input: p.Use.Input}
	}
	if p.Result != nil {
		r := p.Result.Result
		w.Result = &resultJSON{ID: p.Result.ID, IsError: r.IsError, Summary: r.Summary, Blocks: make([]blockJSON, len(r.Blocks))}
		for i, b := range r.Blocks {
			if b.JSON != nil {
				w.Result.Blocks[i].JSON = b.JSON
			} else {
				w.Result.Blocks[i].Text = &b.Text
			}
		}
	}
	return w
}

func decodePart(w partJSON) (Part, error) {
	p := Part{Text: w.Text}
	if w.Use != nil {
		p.Use = &ToolUse{ID: w.Use.ID, Name: w.Use.Name, Input: w.Use.Input}
	}
	if w.Result != nil {
		r := tools.Result{IsError: w.Result.IsError, Summary: w.Result.Summary}
		for i, b := range w.Result.Blocks {
			switch {
			case b.Text != nil && b.JSON == nil:
				r.Blocks = append(r.Blocks, tools.Block{Text: *b.Text})
			case b.Text == nil && b.JSON != nil:
				r.Blocks = append(r.Blocks, tools.Block{JSON: b.JSON})
			default:
				return Part{}, fmt.Errorf("block %d is not exactly one of text and JSON", i)
			}
		}
		p.Result = &ToolResult{ID: w.Result.ID, Result: r}
	}
	return p, nil
}
