package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

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
//	{"type":"compacted","turns":2,"usage":{"input_tokens":1,…}}
//	{"type":"usage","input_tokens":1,"output_tokens":2,"cache_read_tokens":0,"cache_write_tokens":0,"model":"…"}
//
// A citation leaves out members that are empty, and so does a request for an approval its last three. The output of a
// result is a list of [tools.Block] and is not truncated. MarshalEvent returns an error for [Checkpointed] and [Done],
// which are for the host alone.
func MarshalEvent(ev Event) ([]byte, error) {
	if ev == nil || ev.eventType() == "" {
		return nil, fmt.Errorf("agent: marshal event: a %T does not have a JSON form", ev)
	}
	fields, err := json.Marshal(ev)
	if err != nil {
		return nil, fmt.Errorf("agent: marshal event: %w", err)
	}
	name := ev.eventType()
	b := make([]byte, 0, len(`{"type":"",`)+len(name)+len(fields))
	b = append(append(append(b, `{"type":"`...), name...), '"')
	if len(fields) > len(`{}`) {
		b = append(b, ',')
	}
	return append(b, fields[1:]...), nil
}

// UnmarshalEvent reads what [MarshalEvent] returns. It ignores unknown fields, and returns [ErrUnknownEvent] for other
// types, which readers should skip. Missing fields are zero. Objects in a result are unresolved, see
// [tools.Result.Resolve].
func UnmarshalEvent(raw []byte) (Event, error) {
	ev, err := decodeEvent(raw)
	if err != nil {
		return nil, fmt.Errorf("agent: unmarshal event: %w", err)
	}
	return ev, nil
}

func decodeEvent(raw []byte) (Event, error) {
	doc, err := strictjson.ParseEnvelope(raw)
	if err != nil {
		return nil, fmt.Errorf("the event is %w", err)
	}
	var name string
	if value, ok := doc.Get("type"); ok {
		name = value.Text()
	}
	switch name {
	case StepStarted{}.eventType():
		return decodeAs[StepStarted](raw)
	case StepFinished{}.eventType():
		return decodeAs[StepFinished](raw)
	case TextDelta{}.eventType():
		return decodeAs[TextDelta](raw)
	case ReasoningDelta{}.eventType():
		return decodeAs[ReasoningDelta](raw)
	case CitationPart{}.eventType():
		return decodeAs[CitationPart](raw)
	case Partial{}.eventType():
		return decodeAs[Partial](raw)
	case ToolCalled{}.eventType():
		return decodeAs[ToolCalled](raw)
	case ToolProgress{}.eventType():
		return decodeAs[ToolProgress](raw)
	case ToolDone{}.eventType():
		return decodeAs[ToolDone](raw)
	case ToolPending{}.eventType():
		return decodeAs[ToolPending](raw)
	case UsageReport{}.eventType():
		return decodeAs[UsageReport](raw)
	case Compacted{}.eventType():
		return decodeAs[Compacted](raw)
	}
	return nil, fmt.Errorf("%w %.40q", ErrUnknownEvent, name)
}

func decodeAs[E Event](raw []byte) (Event, error) {
	var ev E
	err := json.Unmarshal(raw, &ev)
	return ev, err
}

// toolDoneJSON is the JSON form of a ToolDone.
type toolDoneJSON struct {
	ID         string        `json:"id"`
	Name       string        `json:"name"`
	Summary    string        `json:"summary"`
	Output     []tools.Block `json:"output,omitempty"`
	IsError    bool          `json:"is_error"`
	DurationMS int64         `json:"duration_ms"`
}

// MarshalJSON returns the form in the documentation of [MarshalEvent], without Err, which is for the host alone.
func (d ToolDone) MarshalJSON() ([]byte, error) {
	res := d.Result
	return json.Marshal(toolDoneJSON{d.ID, d.Name, res.Summary, res.Blocks, res.IsError, d.Took.Milliseconds()})
}

// UnmarshalJSON reads what MarshalJSON returns.
func (d *ToolDone) UnmarshalJSON(raw []byte) error {
	var got toolDoneJSON
	if err := json.Unmarshal(raw, &got); err != nil {
		return err
	}
	*d = ToolDone{ID: got.ID, Name: got.Name, Took: time.Duration(got.DurationMS) * time.Millisecond,
		Result: tools.Result{Blocks: got.Output, Summary: got.Summary, IsError: got.IsError}}
	return nil
}

// ErrUnknownEvent is returned by [UnmarshalEvent] for a type that is not an event of this package, such as an event of
// a later version or of another package in the same log.
var ErrUnknownEvent = errors.New("unknown event type")
