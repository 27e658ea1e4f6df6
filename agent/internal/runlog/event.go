package runlog

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/sse/replay"
	"github.com/carrel-go/carrel/tools"
)

// The types of events. Dialects ignore all others.
const (
	RunQueued         = "run_queued"
	RunStarted        = "run_started"
	UserMessage       = "user_message"
	StepStarted       = "step_started"
	StepFinished      = "step_finished"
	TextDelta         = "text_delta"
	ReasoningDelta    = "reasoning_delta"
	Citation          = "citation"
	ToolCall          = "tool_call"
	ToolProgress      = "tool_progress"
	ToolResult        = "tool_result"
	ApprovalRequested = "approval_requested"
	ApprovalDecided   = "approval_decided"
	Partial           = "partial"
	Compacted         = "compacted"
	Usage             = "usage"
	Custom            = "custom"
	Retract           = "retract"
	Finished          = "finished"
	Failed            = "failed"
)

// The outcomes of a run that has finished.
const (
	Complete = "complete"
	Pending  = "pending"
	Stopped  = "stopped"
	Limit    = "limit"
)

// Event is one event. The comments name the types that have a field; in all others it is zero.
type Event struct {
	Type string `json:"type"`

	Run       string `json:"run"`       // RunQueued, RunStarted
	Continues string `json:"continues"` // RunQueued, RunStarted: the run whose pending calls this one makes, or empty

	Text  string  `json:"text"`  // UserMessage; Citation: the text that it supports
	Media []Media `json:"media"` // UserMessage

	Step  int    `json:"step"`  // StepStarted, StepFinished
	Delta string `json:"delta"` // TextDelta, ReasoningDelta

	Source   string         `json:"source"` // Citation
	Title    string         `json:"title"`
	Quotes   []string       `json:"quotes"`
	Location agent.Location `json:"location"`

	ID        string          `json:"id"`        // of the call: ToolCall, ToolProgress, ToolResult, ApprovalRequested
	Name      string          `json:"name"`      // ToolCall, ToolResult: of the tool; Custom
	Tool      string          `json:"tool"`      // ApprovalRequested: the name of the tool
	Input     json.RawMessage `json:"input"`     // ToolCall, ApprovalRequested
	Value     json.RawMessage `json:"value"`     // ToolProgress, Partial, Custom
	Summary   string          `json:"summary"`   // ToolResult
	IsError   bool            `json:"is_error"`  // ToolResult
	Truncated bool            `json:"truncated"` // ToolResult: the log does not have the output
	Duration  int64           `json:"duration_ms"`

	Approval string    `json:"approval_id"` // ApprovalRequested, ApprovalDecided
	Approved bool      `json:"approved"`    // ApprovalDecided
	Reason   string    `json:"reason"`      // ApprovalRequested, ApprovalDecided
	Expires  time.Time `json:"expires_at"`  // ApprovalRequested

	Turns int         `json:"turns"` // Compacted
	Spent agent.Usage `json:"usage"` // Compacted: the cost of the compaction

	agent.Usage        // Usage
	Model       string `json:"model"` // Usage

	After   string          `json:"after"`       // Retract
	Outcome string          `json:"outcome"`     // Finished
	Output  json.RawMessage `json:"output"`      // ToolResult: see Blocks; Finished: the typed answer
	Stop    string          `json:"stop_reason"` // Finished: set if the model did not end its answer in a usual way

	Code      string `json:"code"` // Failed
	Message   string `json:"message"`
	Retryable bool   `json:"retryable"`
}

// Media is an image, a document or a video of a user's message.
type Media struct {
	Format string `json:"format"`
	Name   string `json:"name"` // of the file; may be empty
}

// known are the types that have fields here.
var known = []string{
	RunQueued, RunStarted, UserMessage, StepStarted, StepFinished, TextDelta, ReasoningDelta, Citation, ToolCall,
	ToolProgress, ToolResult, ApprovalRequested, ApprovalDecided, Partial, Compacted, Usage, Custom, Retract, Finished,
	Failed,
}

// Decode returns an event of a log. If it does not know the type, such as one of a later version, it returns the type
// alone. An event without a required field is an error.
func Decode(ev replay.Event) (Event, error) {
	e := Event{Type: ev.Type()}
	if !slices.Contains(known, e.Type) {
		return e, nil
	}
	if err := json.Unmarshal(ev.Data, &e); err != nil {
		return Event{}, fmt.Errorf("event %s of the log: %w", ev.ID, err)
	}
	if field := e.missing(); field != "" {
		return Event{}, fmt.Errorf("event %s of the log: %s without %s", ev.ID, e.Type, field)
	}
	return e, nil
}

// missing returns the name of a required field that is empty, or "". Without it, dialects can't name the call.
func (e *Event) missing() string {
	isOneOf := func(types ...string) bool { return slices.Contains(types, e.Type) }
	switch {
	case e.ID == "" && isOneOf(ToolCall, ToolProgress, ToolResult, ApprovalRequested):
		return "id"
	case e.Name == "" && isOneOf(ToolCall, ToolResult, Custom):
		return "name"
	case e.Tool == "" && isOneOf(ApprovalRequested):
		return "tool"
	}
	return ""
}

// Block is a part of the output of a ToolResult.
type Block = tools.Block

// Blocks returns the output of a ToolResult.
func (e *Event) Blocks() ([]Block, error) {
	if len(e.Output) == 0 {
		return nil, nil
	}
	var blocks []Block
	if err := json.Unmarshal(e.Output, &blocks); err != nil {
		return nil, fmt.Errorf("the output of the call %q: %w", e.ID, err)
	}
	return blocks, nil
}
