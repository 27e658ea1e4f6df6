package aisdk

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/carrel-go/carrel/agent/internal/runlog"
	"github.com/carrel-go/carrel/sse"
	"github.com/carrel-go/carrel/sse/replay"
)

// errBeyondStep ends the stream of a client when more than the current step is retracted.
var errBeyondStep = errors.New("aisdk: an earlier step was retracted: the client must resume")

// runPlace is the place of a run among those that make one message.
type runPlace struct {
	number  int
	isMuted bool // the client has its part of the message
	isLast  bool // the message ends with it
}

// translator translates the logs of the runs that make one message, for one client.
type translator struct {
	run     runPlace
	message string // its id: that of the first run
	began   bool   // start was sent
	ended   bool   // [DONE] was sent
	frames  []sse.Event

	state
	atStep    state       // at the beginning of the current step
	sinceStep []stepEvent // the events since then, which are read again if some of them are retracted
	isOpen    bool        // finish-step was not sent
	isGone    bool        // the current step was retracted, and the client has its step-start and nothing after it
	lastOther string      // the id of the current run's last event before the step from which the client has something
}

// stepEvent is an event of the current step.
type stepEvent struct {
	run int
	replay.Event
}

func newTranslator() *translator {
	s := newState()
	return &translator{state: s, atStep: s.clone()}
}

// beginRun prepares for the events of the next run.
func (t *translator) beginRun(p runPlace) {
	t.run, t.lastOther = p, ""
}

func (t *translator) translate(ev replay.Event) ([]sse.Event, error) {
	clear(t.frames)
	t.frames = t.frames[:0]
	if err := t.addEvent(stepEvent{t.run.number, ev}); err != nil {
		return nil, fmt.Errorf("aisdk: %w", err)
	}
	return t.frames, nil
}

func (t *translator) addEvent(kept stepEvent) error {
	e, err := runlog.Decode(kept.Event)
	if err != nil {
		return err
	}
	switch e.Type {
	case runlog.RunQueued, runlog.RunStarted:
		return t.beginMessage(e.Run)
	case runlog.Retract:
		return t.retractEvents(e.After)
	case runlog.StepStarted:
		return t.startStep(e.Step, kept)
	case runlog.Finished, runlog.Failed:
		return t.endRun(&e)
	}
	if !isVisible(e.Type) {
		return nil
	}
	t.sinceStep = append(t.sinceStep, kept)
	return t.translateEvent(&e)
}

// isVisible reports whether the message has something from an event of that type.
func isVisible(eventType string) bool {
	switch eventType {
	case runlog.StepStarted, runlog.StepFinished, runlog.TextDelta, runlog.ReasoningDelta, runlog.Citation, runlog.Usage,
		runlog.ToolCall, runlog.ToolProgress, runlog.ToolResult, runlog.ApprovalRequested, runlog.ApprovalDecided,
		runlog.Partial, runlog.Custom:
		return true
	}
	return false
}

// beginMessage writes the beginning of the message, which has the id of its first run.
func (t *translator) beginMessage(run string) error {
	if t.message == "" {
		t.message = run
	}
	if t.began {
		return nil
	}
	return t.putChunks()
}

// startStep begins a step. One that has begun already continues.
func (t *translator) startStep(step int, e stepEvent) error {
	if step == t.step && !t.finishing {
		return nil
	}
	if n := len(t.sinceStep); n > 0 && t.sinceStep[n-1].run == e.run {
		t.lastOther = t.sinceStep[n-1].ID
	}
	isGone := t.isGone
	if !isGone {
		if err := t.closeStep(); err != nil {
			return err
		}
	}
	t.atStep = t.clone()
	clear(t.sinceStep)
	t.sinceStep, t.step, t.finishing, t.isGone = append(t.sinceStep[:0], e), step, false, false
	if isGone {
		return nil
	}
	t.isOpen = !t.run.isMuted
	return t.putChunks(chunk{Type: "start-step"})
}

// closeStep writes the end of the current step.
func (t *translator) closeStep() error {
	if err := t.closePart(); err != nil || !t.isOpen {
		return err
	}
	t.isOpen = false
	return t.putChunks(chunk{Type: "finish-step"})
}

// putChunks adds chunks, before the first of which the message begins.
func (t *translator) putChunks(chunks ...chunk) error {
	if t.run.isMuted {
		return nil
	}
	if !t.began {
		t.began = true
		chunks = append([]chunk{{Type: "start", MessageID: t.message}}, chunks...)
	}
	for _, c := range chunks {
		t.isGone = t.isGone && c.Type == "message-metadata"
		raw, err := json.Marshal(c)
		if err != nil {
			return err
		}
		t.frames = append(t.frames, sse.Event{Data: raw})
	}
	return nil
}

// retractEvents takes back the events of the run after an id. A client that is connected has received them.
func (t *translator) retractEvents(after string) error {
	if t.lastOther > after {
		return errBeyondStep
	}
	kept := t.sinceStep[:0:0]
	for _, e := range t.sinceStep {
		if e.run != t.run.number || e.ID <= after {
			kept = append(kept, e)
		}
	}
	if len(kept) == len(t.sinceStep) {
		return nil
	}
	hasStep := len(t.sinceStep) > 0 && t.sinceStep[0].Type() == runlog.StepStarted
	t.state, t.sinceStep = t.atStep.clone(), kept
	if err := t.putChunks(chunk{Type: "reset-step"}); err != nil {
		return err
	}
	t.isGone = hasStep && len(kept) == 0 && t.isOpen
	for _, k := range kept {
		e, err := runlog.Decode(k.Event)
		if err != nil {
			return err
		}
		if e.Type == runlog.StepStarted {
			t.step = e.Step
			continue
		}
		if err := t.translateEvent(&e); err != nil {
			return err
		}
	}
	return nil
}
