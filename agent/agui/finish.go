package agui

import (
	"encoding/json"

	"github.com/carrel-go/carrel/agent/internal/runlog"
)

// The outcomes of a run that did not fail.
const (
	outcomeSuccess   = "success"
	outcomeInterrupt = "interrupt"
	outcomeCancelled = "cancelled"
)

// answerSchema describes the payload of an answer to an interrupt, see parseAnswer.
var answerSchema = json.RawMessage(`{"type":"object","properties":{"approved":{"type":"boolean"},` +
	`"reason":{"type":"string"}},"required":["approved"],"additionalProperties":false}`)

// writeFinish ends a run that did not fail. A run that has reached a limit is an error, since AG-UI does not have such
// an outcome. So is one whose model did not end its answer in a usual way, since a refusal is not a success.
func (t *translator) writeFinish(_ string, e *runlog.Event) {
	t.endStep()
	end := runFinished{Type: typeRunFinished, Thread: t.q.thread, Run: t.q.run, Usage: t.usage()}
	switch e.Outcome {
	case runlog.Complete:
		if e.Stop != "" {
			t.sendError(e.Stop, "The model did not end its answer in a usual way.", false)
			return
		}
		end.Outcome.Type, end.Result = outcomeSuccess, e.Output
	case runlog.Stopped:
		end.Outcome.Type = outcomeCancelled
	case runlog.Pending:
		if len(t.waits) == 0 {
			t.sendError("pending", "The run waits for something that this protocol cannot ask for.", false)
			return
		}
		t.sendSnapshot()
		end.Outcome.Type = outcomeInterrupt
		for _, w := range t.waits {
			end.Outcome.Interrupts = append(end.Outcome.Interrupts, w.interrupt)
		}
	case runlog.Limit:
		t.sendError(runlog.Limit, "The run has reached a limit.", false)
		return
	default:
		t.sendError("internal", "The run has ended in an unknown way.", false)
		return
	}
	t.sendEvent(end)
}

func (t *translator) writeFailure(_ string, e *runlog.Event) {
	t.endStep()
	t.sendError(e.Code, e.Message, e.Retryable)
}

// sendError sends the last event of a run that failed.
func (t *translator) sendError(code, message string, retryable bool) {
	end := runError{Type: typeRunError, Message: message, Code: code, Usage: t.usage()}
	if retryable {
		end.Metadata = map[string]any{namespace: map[string]bool{"retryable": true}}
	}
	t.sendEvent(end)
}
