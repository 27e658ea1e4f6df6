// Package runlog decodes the events of a run's log for the dialects that translate them.
//
//	e, err := runlog.Decode(event)
//	switch e.Type {
//	case runlog.TextDelta:
//		… e.Delta …
//	}
//
// The vocabulary is documented in package runner, and the part of it that the agent writes in agent.MarshalEvent.
package runlog
