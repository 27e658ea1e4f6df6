package server

import (
	"encoding/json"

	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/draft"
	"github.com/carrel-go/carrel/sse"
	"github.com/carrel-go/carrel/sse/replay"
	"github.com/carrel-go/carrel/tools"
)

// The names of the bookshelf's own events.
const (
	metadataUpdate = "metadata_update"
	chatEvent      = "chat"
)

// Events returns the dialect of the bookshelf's streams. Each event of a run's log becomes at most one frame with the
// same id. Types that a browser does not need are left out.
func Events() replay.Dialect {
	return replay.Dialect{New: func() func(replay.Event) ([]sse.Event, error) {
		var frame [1]sse.Event
		return func(e replay.Event) ([]sse.Event, error) {
			data, err := translateEvent(e)
			if data == nil || err != nil {
				return nil, err
			}
			frame[0] = sse.Event{ID: e.ID, Data: data}
			return frame[:], nil
		}
	}}
}

// logged is the union of the events in a run's log that are translated.
type logged struct {
	ID       string          `json:"id"`
	Name     string          `json:"name"`
	Text     string          `json:"text"`
	Summary  string          `json:"summary"`
	IsError  bool            `json:"is_error"`
	Duration int64           `json:"duration_ms"`
	Input    int64           `json:"input_tokens"`
	Output   int64           `json:"output_tokens"`
	Blocks   []tools.Block   `json:"output"` // of a tool's result
	Value    json.RawMessage `json:"value"`
	Outcome  runner.Status   `json:"outcome"`
	Code     string          `json:"code"`
	Message  string          `json:"message"`
}

type (
	toolResult struct {
		Type     string `json:"type"`
		ID       string `json:"id"`
		Name     string `json:"name"`
		Summary  string `json:"summary"`
		IsError  bool   `json:"is_error"`
		Duration int64  `json:"duration_ms"`
		// IsMissing is set if the tool does not exist on this machine.
		IsMissing bool `json:"unavailable,omitempty"`
	}
	userMessage struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
	update struct {
		Type  string          `json:"type"`
		Field string          `json:"field"`
		Value json.RawMessage `json:"value"`

		Source draft.Source `json:"source,omitempty"`
		Origin string       `json:"origin,omitempty"`
	}
	usage struct {
		Type   string `json:"type"`
		Input  int64  `json:"input_tokens"`
		Output int64  `json:"output_tokens"`
	}
	chatStart struct {
		ID    string `json:"chat_id"`
		Turns *int   `json:"turns,omitempty"` // of the chat before the run; nil in older logs, whose value is the id
	}
	chatFrame struct {
		Type string `json:"type"`
		chatStart
	}
	bare struct {
		Type string `json:"type"`
	}
	complete struct {
		Type     string          `json:"type"`
		Metadata json.RawMessage `json:"metadata"`
		Stop     string          `json:"stop_reason,omitempty"`
	}
	failed struct {
		Type    string `json:"type"`
		Code    string `json:"code"`
		Message string `json:"message"`
	}
)

// translateEvent returns the data of an event's frame, or nil if it does not have one.
func translateEvent(e replay.Event) ([]byte, error) {
	kind := e.Type()
	switch kind {
	case "text_delta", "tool_call", "retract", "approval_requested", "approval_decided":
		return e.Data, nil
	case "run_queued", "run_started":
		return encodeLine(bare{kind})
	case "finished":
		return translateEnd(e.Data)
	case "user_message", "tool_result", "custom", "usage", "failed":
	default:
		return nil, nil
	}
	var l logged
	if err := json.Unmarshal(e.Data, &l); err != nil {
		return nil, err
	}
	switch {
	case kind == "user_message":
		return encodeLine(userMessage{kind, l.Text})
	case kind == "tool_result":
		return encodeLine(toolResult{kind, l.ID, l.Name, l.Summary, l.IsError, l.Duration, isUnavailable(l.Blocks)})
	case kind == "usage":
		return encodeLine(usage{kind, l.Input, l.Output})
	case kind == "failed":
		return encodeLine(failed{"error", l.Code, l.Message})
	case l.Name == metadataUpdate:
		u := update{Type: metadataUpdate}
		if err := json.Unmarshal(l.Value, &u); err != nil {
			return nil, err
		}
		return encodeLine(u)
	case l.Name == chatEvent:
		frame := chatFrame{Type: chatEvent}
		if json.Unmarshal(l.Value, &frame.ID) == nil {
			return encodeLine(frame)
		}
		if err := json.Unmarshal(l.Value, &frame.chatStart); err != nil {
			return nil, err
		}
		return encodeLine(frame)
	}
	return nil, nil
}

// isUnavailable reports whether a result says that its tool does not exist on this machine, as that of read_cover does.
func isUnavailable(result []tools.Block) bool {
	for _, b := range result {
		var out struct {
			Available *bool `json:"available"`
		}
		raw := b.JSON
		if raw == nil { // some models receive JSON as text
			raw = json.RawMessage(b.Text)
		}
		if json.Unmarshal(raw, &out) == nil && out.Available != nil {
			return !*out.Available
		}
	}
	return false
}

// translateEnd returns the last frame of a run that did not fail.
func translateEnd(data json.RawMessage) ([]byte, error) {
	var end struct {
		Outcome runner.Status   `json:"outcome"`
		Output  json.RawMessage `json:"output"`
		Stop    string          `json:"stop_reason"`
	}
	if err := json.Unmarshal(data, &end); err != nil {
		return nil, err
	}
	switch end.Outcome {
	case runner.StatusComplete:
	case runner.StatusPending:
		return encodeLine(bare{"pending"})
	default:
		code, message := endOf(end.Outcome, "", "")
		return encodeLine(failed{"error", code, message})
	}
	if end.Output == nil {
		end.Output = json.RawMessage("{}")
	}
	return encodeLine(complete{"complete", end.Output, end.Stop})
}

// encodeLine returns v as JSON without a final newline.
func encodeLine(v any) ([]byte, error) {
	b, err := encodeJSON(v)
	if err != nil {
		return nil, err
	}
	return b[:len(b)-1], nil
}
