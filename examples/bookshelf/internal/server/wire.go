package server

import (
	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/booktools"
)

// tell forwards an agent event to the browser. A successful set_field also sends a metadata_update.
func (r *run) tell(ev agent.Event) {
	switch ev := ev.(type) {
	case agent.TextDelta:
		r.send("text_delta", map[string]any{"delta": ev.Text})
	case agent.ToolCalled:
		r.send("tool_call", map[string]any{"id": ev.ID, "name": ev.Name, "input": ev.Input})
	case agent.ToolDone:
		if ev.Err != nil {
			r.s.o.Log.Warn("tool failed", "run", r.id, "tool", ev.Name, "err", ev.Err)
		}
		r.send("tool_result", map[string]any{
			"id": ev.ID, "name": ev.Name, "summary": ev.Result.Summary, "is_error": ev.Result.IsError,
			"duration_ms": ev.Took.Milliseconds(),
		})
		if u, ok := booktools.ReadUpdate(ev.Name, ev.Result); ok {
			r.send("metadata_update", map[string]any{"field": u.Field, "value": u.Value})
		}
	case agent.UsageReport:
		r.send("usage", map[string]any{"input_tokens": ev.Input, "output_tokens": ev.Output})
	}
}

func (r *run) send(kind string, fields map[string]any) {
	if err := r.feed.send(kind, fields); err != nil {
		r.s.o.Log.Error("event not sent", "run", r.id, "type", kind, "err", err)
	}
}
