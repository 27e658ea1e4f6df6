package agent

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"github.com/carrel-go/carrel/internal/strictjson"
	"github.com/carrel-go/carrel/tools"
)

// MarshalEvent returns the JSON of an event, for a log or a client:
//
//	{"type":"step_started","step":1}   {"type":"step_finished","step":1}
//	{"type":"text_delta","delta":"…"}   {"type":"reasoning_delta","delta":"…"}
//	{"type":"citation","text":"…","source":"…","title":"…","quotes":["…"],"location":{…}}
//	{"type":"tool_call","id":"…","name":"…","input":{…}}
//	{"type":"tool_progress","id":"…","value":…}
//	{"type":"tool_result","id":"…","name":"…","summary":"…","output":[{"text":"…"}],"is_error":false,"duration_ms":12}
//	{"type":"approval_requested","id":"…","tool":"…","input":{…},"approval_id":"…","reason":"…","expires_at":"…"}
//	{"type":"partial","value":{…}}
//	{"type":"compacted","turns":2,"usage":{"input_tokens":1,…},"fallback":true}
//	{"type":"usage","input_tokens":1,"output_tokens":2,"cache_read_tokens":0,"cache_write_tokens":0,"model":"…"}
//
// A citation leaves out members that are empty, and so does a request for an approval its last three. The output of a
// result is a list of [tools.Block]. MarshalEvent does not truncate it: if the host has left it out and set Truncated,
// the result has "truncated":true. MarshalEvent returns an error for [Checkpointed] and [Done],
// which are for the host alone.
func MarshalEvent(ev Event) ([]byte, error) { return AppendEvent(nil, ev) }

// AppendEvent appends the JSON of an event to b, as [MarshalEvent] returns it. For a delta it allocates nothing if b
// has room.
func AppendEvent(b []byte, ev Event) ([]byte, error) {
	if ev == nil || ev.eventType() == "" {
		return b, fmt.Errorf("agent: marshal event: a %T does not have a JSON form", ev)
	}
	start := len(b)
	b = append(append(append(b, `{"type":"`...), ev.eventType()...), '"')
	var form any = ev
	switch ev := ev.(type) {
	case TextDelta:
		if utf8.ValidString(ev.Text) {
			return append(strictjson.AppendString(append(b, `,"delta":`...), ev.Text), '}'), nil
		}
	case ReasoningDelta:
		if utf8.ValidString(ev.Text) {
			return append(strictjson.AppendString(append(b, `,"delta":`...), ev.Text), '}'), nil
		}
	case ToolDone:
		form = ev.form()
	}
	var fields bytes.Buffer
	enc := json.NewEncoder(&fields)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(form); err != nil {
		return b[:start], fmt.Errorf("agent: marshal event: %w", err)
	}
	rest := bytes.TrimSuffix(fields.Bytes(), []byte("\n"))
	if len(rest) > len(`{}`) {
		b = append(b, ',')
	}
	return append(b, rest[1:]...), nil
}

// toolDoneJSON is the JSON form of a ToolDone.
type toolDoneJSON struct {
	ID         string        `json:"id"`
	Name       string        `json:"name"`
	Summary    string        `json:"summary"`
	Output     []tools.Block `json:"output,omitempty"`
	IsError    bool          `json:"is_error"`
	DurationMS int64         `json:"duration_ms"`
	Truncated  bool          `json:"truncated,omitempty"`
}

// MarshalJSON returns the form in the documentation of [MarshalEvent], without Err, which is for the host alone.
func (d ToolDone) MarshalJSON() ([]byte, error) {
	return json.Marshal(d.form())
}

func (d ToolDone) form() toolDoneJSON {
	res := d.Result
	return toolDoneJSON{d.ID, d.Name, res.Summary, res.Blocks, res.IsError, d.Took.Milliseconds(), d.Truncated}
}
