package runner

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/tools"
)

// maxOutput is the size of the largest output of a tool_result in the log.
const maxOutput = 16 << 10

// The events that the runner adds to those of the agent. Their first member is the type.
type (
	runQueued struct {
		Type      string `json:"type"`
		Run       string `json:"run"`
		Continues string `json:"continues,omitempty"`
	}
	userMessage struct {
		Type  string      `json:"type"`
		Text  string      `json:"text"`
		Media []userMedia `json:"media,omitempty"`
	}
	userMedia struct {
		Format string `json:"format"`
		Name   string `json:"name,omitempty"`
	}
	approvalDecided struct {
		Type string `json:"type"`
		decision
	}
	decision struct {
		Approval string `json:"approval_id"`
		Approved bool   `json:"approved"`
		Reason   string `json:"reason,omitempty"`
	}
	customEvent struct {
		Type  string          `json:"type"`
		Name  string          `json:"name"`
		Value json.RawMessage `json:"value"`
	}
	retraction struct {
		Type  string `json:"type"`
		After string `json:"after"`
	}
	runFinished struct {
		Type    string          `json:"type"`
		Outcome Status          `json:"outcome"`
		Output  json.RawMessage `json:"output,omitempty"`
		Reason  string          `json:"stop_reason,omitempty"`
	}
	runFailed struct {
		Type      string `json:"type"`
		Code      string `json:"code"`
		Message   string `json:"message"`
		Retryable bool   `json:"retryable"`
	}
)

// encodeQueued and encodeStarted return the events of a run that waits for its place, and of one that has it.
func encodeQueued(r *Run) (json.RawMessage, error) {
	return json.Marshal(runQueued{"run_queued", r.ID, r.Continues})
}

func encodeStarted(r *Run) (json.RawMessage, error) {
	return json.Marshal(runQueued{"run_started", r.ID, r.Continues})
}

// encodeMessage returns the event of the user's message, or those of the decisions after which the run continues, or
// nothing if the message is empty.
func encodeMessage(r *Run, ds []decision) (events []json.RawMessage, _ error) {
	for _, d := range ds {
		ev, err := json.Marshal(approvalDecided{"approval_decided", d})
		if err != nil {
			return nil, err
		}
		events = append(events, ev)
	}
	if len(ds) > 0 || r.Prompt == "" && len(r.Media) == 0 {
		return events, nil
	}
	m := userMessage{Type: "user_message", Text: r.Prompt}
	for _, medium := range r.Media {
		m.Media = append(m.Media, userMedia{medium.Format, mediaName(medium)})
	}
	ev, err := json.Marshal(m)
	return []json.RawMessage{ev}, err
}

// mediaName returns the name of the file that a medium refers to.
func mediaName(m tools.Media) string {
	if m.Object.IsZero() {
		return ""
	}
	return m.Object.Name()
}

func encodeRetract(after string) (json.RawMessage, error) {
	return json.Marshal(retraction{"retract", after})
}

func encodeCustom(c Custom) (json.RawMessage, error) {
	return json.Marshal(customEvent{"custom", c.Name, c.Value})
}

// encodeEnd returns the last event of a run.
func encodeEnd(res Result) (json.RawMessage, error) {
	if res.Status == StatusFailed {
		return json.Marshal(runFailed{"failed", res.Code, res.Message, res.Retryable})
	}
	return json.Marshal(runFinished{"finished", res.Status, res.Output, filterReason(res.StopReason)})
}

// filterReason returns a stop reason unless it is one with which models usually end their answers.
func filterReason(s agent.StopReason) string {
	switch s {
	case agent.StopEndTurn, agent.StopToolUse, agent.StopSequence:
		return ""
	}
	return string(s)
}

// parseStatus returns the status of a run with this last event.
func parseStatus(end json.RawMessage) (Status, error) {
	var e runFinished
	if err := json.Unmarshal(end, &e); err != nil {
		return "", fmt.Errorf("%w: %w", errForeign, err)
	}
	switch {
	case e.Type == "failed":
		return StatusFailed, nil
	case e.Type != "finished" || !e.Outcome.HasEnded():
		return "", errForeign
	}
	return e.Outcome, nil
}

// encodeEvent appends the event of the agent for the log to b. It returns the event and whether it is stored at once,
// or nil if the log does not have it.
func encodeEvent(b []byte, ev agent.Event) (_ json.RawMessage, urgent bool, err error) {
	switch ev := ev.(type) {
	case agent.Checkpointed, agent.Done:
		return nil, false, nil
	case agent.ToolDone:
		raw, err := encodeToolDone(ev)
		return raw, true, err
	case agent.StepStarted, agent.ToolCalled, agent.ToolPending: // after StepStarted the log is idle until the first delta
		urgent = true
	}
	raw, err := agent.AppendEvent(b, ev)
	return raw, urgent, err
}

// encodeToolDone returns the event without its output if that is too large. [Runner.ToolResult] returns the whole one.
func encodeToolDone(d agent.ToolDone) (json.RawMessage, error) {
	raw, err := agent.MarshalEvent(d)
	if err != nil || len(raw) <= maxOutput {
		return raw, err
	}
	d.Result.Blocks, d.Truncated = nil, true
	return agent.MarshalEvent(d)
}

// MergeDeltas joins two events of a log that follow each other: two deltas of a text or of reasoning become one, and of
// two parts of a typed answer the second remains. It is for [replay.Options].Merge, and may change first.
//
// It joins the bytes of two deltas, so delta must remain the only member of their JSON after the type. A test of this
// package decodes what it joins.
//
// [replay.Options]: https://pkg.go.dev/github.com/carrel-go/carrel/sse/replay#Options
func MergeDeltas(first, second json.RawMessage) (json.RawMessage, bool) {
	const partial, end = `{"type":"partial",`, `"}`
	for _, prefix := range []string{`{"type":"text_delta","delta":"`, `{"type":"reasoning_delta","delta":"`} {
		if hasAffixes(first, prefix, end) && hasAffixes(second, prefix, end) {
			return append(first[:len(first)-len(end)], second[len(prefix):]...), true
		}
	}
	if hasAffixes(first, partial, "}") && hasAffixes(second, partial, "}") {
		return append(first[:0], second...), true
	}
	return nil, false
}

func hasAffixes(raw []byte, prefix, suffix string) bool {
	s := string(raw[:min(len(raw), len(prefix))])
	return len(raw) >= len(prefix)+len(suffix) && s == prefix &&
		strings.HasSuffix(string(raw[len(raw)-len(suffix):]), suffix)
}
