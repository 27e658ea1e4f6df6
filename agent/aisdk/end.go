package aisdk

import (
	"cmp"
	"maps"
	"slices"

	"github.com/carrel-go/carrel/agent/internal/runlog"
)

// endRun writes the end of a run. The message continues if a person's decision has continued the run.
func (t *translator) endRun(e *runlog.Event) error {
	if e.Outcome == runlog.Pending && !t.run.isLast {
		return t.closePart()
	}
	if err := t.closePart(); err != nil {
		return err
	}
	if e.Outcome != runlog.Pending {
		if err := t.closeCalls(); err != nil {
			return err
		}
	}
	if len(e.Output) > 0 {
		if err := t.putChunks(chunk{Type: "data-output", Data: encodeValue(e.Output)}); err != nil {
			return err
		}
	}
	if err := t.closeStep(); err != nil {
		return err
	}
	if e.Type == runlog.Failed {
		if err := t.putMetadata(); err != nil {
			return err
		}
	}
	if err := t.putChunks(t.lastChunks(e)...); err != nil {
		return err
	}
	t.frames, t.ended = append(t.frames, doneFrame), true
	return nil
}

// closeCalls writes an error for each call that was not made. Otherwise the SDK shows it in progress, or sends an
// answered approval again.
func (t *translator) closeCalls() error {
	for _, id := range slices.Sorted(maps.Keys(t.calls)) {
		if t.calls[id].hasEnded {
			continue
		}
		c := chunk{Type: "tool-output-error", ToolCallID: id, ErrorText: "The run ended before the call was complete."}
		if err := t.putChunks(c); err != nil {
			return err
		}
	}
	return nil
}

// lastChunks returns the chunks that end the message.
func (t *translator) lastChunks(e *runlog.Event) []chunk {
	finish := chunk{Type: "finish", MessageMetadata: t.metadata()}
	switch {
	case e.Type == runlog.Failed:
		return []chunk{{Type: "error", ErrorText: cmp.Or(e.Message, "The run failed.")}}
	case e.Outcome == runlog.Complete && e.Stop != "":
		finish.FinishReason = "other" // the text may be a refusal
	case e.Outcome == runlog.Complete:
		finish.FinishReason = "stop"
	case e.Outcome == runlog.Pending:
		finish.FinishReason = "tool-calls"
	case e.Outcome == runlog.Limit:
		finish.FinishReason = "length"
	case e.Outcome == runlog.Stopped:
		finish.FinishReason = "interrupted"
		return []chunk{{Type: "abort", Reason: "stopped"}, finish}
	default:
		finish.FinishReason = "other"
	}
	return []chunk{finish}
}
