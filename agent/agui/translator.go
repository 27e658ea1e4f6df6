package agui

import (
	"cmp"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/carrel-go/carrel/agent/internal/runlog"
	"github.com/carrel-go/carrel/sse"
	"github.com/carrel-go/carrel/sse/replay"
)

// translator translates the log of one run for one client. It keeps all messages, since a client removes one only by a
// snapshot of the others.
type translator struct {
	q      *request
	frames []sse.Event
	err    error

	run           string // the id in the log
	messages      []*message
	openMessage   *message // whose text is being sent, or nil
	holder        *message // that holds the calls of the step, or nil
	steps         []stepMark
	shownStep     int             // the step that is open for the client, or 0
	calls         map[string]bool // ids that the client has seen
	lostReasoning string          // the id of reasoning that was taken back, or ""
	waits         []waiting
	spent         []spending
}

// stepMark is a change of the step by an event of the log.
type stepMark struct {
	event string
	step  int // 0 between steps
}

// waiting is a call that waits for an approval.
type waiting struct {
	event string
	interrupt
}

func newTranslator(q *request) *translator { return &translator{q: q, calls: make(map[string]bool)} }

func (t *translator) translate(e replay.Event) ([]sse.Event, error) {
	t.frames = t.frames[:0]
	write, ok := writers[e.Type()]
	if !ok {
		return nil, nil
	}
	decoded, err := runlog.Decode(e)
	if err != nil {
		return nil, err
	}
	write(t, e.ID, &decoded)
	return t.frames, t.err
}

// writers holds a function for each type of event, except for the user's message, which the client has.
var writers = map[string]func(t *translator, at string, e *runlog.Event){
	runlog.RunQueued:         (*translator).writeStart,
	runlog.RunStarted:        (*translator).writeStart,
	runlog.StepStarted:       (*translator).writeStep,
	runlog.StepFinished:      (*translator).writeStepEnd,
	runlog.TextDelta:         (*translator).writeText,
	runlog.ReasoningDelta:    (*translator).writeReasoning,
	runlog.Citation:          (*translator).writeCitation,
	runlog.ToolCall:          (*translator).writeCall,
	runlog.ToolProgress:      (*translator).writeProgress,
	runlog.ToolResult:        (*translator).writeResult,
	runlog.ApprovalRequested: (*translator).noteApproval,
	runlog.Partial:           (*translator).writePartial,
	runlog.Compacted:         (*translator).noteCompaction,
	runlog.Usage:             (*translator).noteUsage,
	runlog.Custom:            (*translator).writeCustom,
	runlog.Retract:           (*translator).retractEvents,
	runlog.Finished:          (*translator).writeFinish,
	runlog.Failed:            (*translator).writeFailure,
}

func (t *translator) sendEvent(event any) {
	if t.err != nil {
		return
	}
	f, err := encodeFrame(event)
	t.err = err
	t.frames = append(t.frames, f)
}

func (t *translator) writeStart(_ string, e *runlog.Event) {
	if t.run != "" { // it was queued, or its beginning was taken back
		return
	}
	t.run = e.Run
	meta := map[string]any{namespace: map[string]string{"run": t.run}}
	t.sendEvent(runStarted{typeRunStarted, t.q.thread, t.q.run, protocolVersion, meta})
	if e.Continues != "" || t.q.hasMessage(t.isOwn) {
		t.sendSnapshot()
	}
}

// isOwn reports whether a message of the client is one of this run.
func (t *translator) isOwn(m *clientMessage) bool { return strings.HasPrefix(m.id, t.run+".") }

// messageID returns the id of the message that begins with an event of the log. It is the same in each telling, and no
// other run has it.
func (t *translator) messageID(at string) string { return t.run + "." + at }

func (t *translator) writeStep(at string, e *runlog.Event) {
	t.changeStep(at, e.Step)
	if t.shownStep == e.Step { // the process that has taken the run over repeats it
		return
	}
	t.endStep()
	t.shownStep = e.Step
	t.sendEvent(stepEvent{typeStepStarted, stepName(e.Step)})
}

func stepName(n int) string { return "step " + strconv.Itoa(n) }

func (t *translator) writeStepEnd(at string, e *runlog.Event) {
	t.changeStep(at, 0)
	if t.shownStep == e.Step { // otherwise an earlier run has begun it, or its end was taken back
		t.endStep()
	}
}

func (t *translator) changeStep(at string, step int) {
	t.closeMessage()
	t.holder = nil
	t.steps = append(t.steps, stepMark{at, step})
}

// step returns the step of the log, or 0.
func (t *translator) step() int {
	if len(t.steps) == 0 {
		return 0
	}
	return t.steps[len(t.steps)-1].step
}

// endStep ends the step that is open for the client, with its messages.
func (t *translator) endStep() {
	t.closeMessage()
	if t.shownStep != 0 {
		t.sendEvent(stepEvent{typeStepFinished, stepName(t.shownStep)})
		t.shownStep = 0
	}
}

func (t *translator) writeText(at string, e *runlog.Event) {
	if e.Delta == "" {
		return
	}
	if t.openMessage == nil || t.openMessage.role != roleAssistant {
		t.closeMessage()
		t.openMessage = t.beginMessage(roleAssistant, at)
		t.holder = t.openMessage
		t.sendEvent(messageStart{typeTextStart, t.openMessage.id, roleAssistant})
	}
	t.openMessage.addText(at, e.Delta)
	t.sendEvent(messageContent{typeTextContent, t.openMessage.id, e.Delta})
}

func (t *translator) writeReasoning(at string, e *runlog.Event) {
	if e.Delta == "" {
		return
	}
	if t.openMessage == nil || t.openMessage.role != roleReasoning {
		t.closeMessage()
		t.openMessage = t.beginMessage(roleReasoning, at)
		t.sendEvent(messageMark{typeReasoningStart, t.openMessage.id})
		t.sendEvent(messageStart{typeReasoningOpen, t.openMessage.id, roleReasoning})
	}
	t.openMessage.addText(at, e.Delta)
	t.sendEvent(messageContent{typeReasoningContent, t.openMessage.id, e.Delta})
}

func (t *translator) beginMessage(role, at string) *message {
	m := &message{id: t.messageID(at), role: role, since: at, step: t.step()}
	t.messages = append(t.messages, m)
	return m
}

func (t *translator) closeMessage() {
	if t.openMessage == nil {
		return
	}
	if t.openMessage.role == roleReasoning {
		t.sendEvent(messageMark{typeReasoningClose, t.openMessage.id})
		t.sendEvent(messageMark{typeReasoningEnd, t.openMessage.id})
	} else {
		t.sendEvent(messageMark{typeTextEnd, t.openMessage.id})
	}
	t.openMessage = nil
}

func (t *translator) writeCall(at string, e *runlog.Event) {
	t.closeMessage()
	if t.holder == nil {
		t.holder = t.beginMessage(roleAssistant, at)
	}
	t.holder.calls = append(t.holder.calls, call{at, e.ID, e.Name, string(e.Input)})
	if t.calls[e.ID] { // it was taken back and is made again; an id may begin only once
		t.sendSnapshot()
		return
	}
	t.calls[e.ID] = true
	t.sendEvent(toolStart{typeToolStart, e.ID, e.Name, t.holder.id})
	t.sendEvent(toolArgs{typeToolArgs, e.ID, string(e.Input)})
	t.sendEvent(toolEnd{typeToolEnd, e.ID})
}

func (t *translator) writeResult(at string, e *runlog.Event) {
	content, meta, err := resultContent(e)
	if err != nil {
		t.err = err
		return
	}
	m := t.beginMessage(roleTool, at)
	m.answers, m.content, m.meta = e.ID, content, meta
	t.sendEvent(toolResult{typeToolResult, m.id, e.ID, content, roleTool, meta})
}

func (t *translator) noteApproval(at string, e *runlog.Event) {
	if e.Approval == "" { // it waits for something that the client cannot give
		return
	}
	w := waiting{at, interrupt{
		ID: e.Approval, Reason: "tool_call", ToolCall: e.ID, ResponseSchema: answerSchema,
		Message: cmp.Or(e.Reason, "The tool "+e.Tool+" needs an approval."),
	}}
	if !e.Expires.IsZero() {
		w.Expires = e.Expires.UTC().Format(time.RFC3339Nano)
	}
	t.waits = append(t.waits, w)
}

func (t *translator) writeCitation(_ string, e *runlog.Event) {
	t.sendCustom("citation", citation{e.Text, e.Source, e.Title, e.Quotes, e.Location})
}

func (t *translator) writeProgress(_ string, e *runlog.Event) {
	t.sendCustom("tool_progress", progress{e.ID, e.Value})
}

func (t *translator) writePartial(_ string, e *runlog.Event) { t.sendCustom("partial", e.Value) }

// sendCustom sends an event that AG-UI does not have.
func (t *translator) sendCustom(name string, value any) {
	t.sendEvent(custom{typeCustom, namespace + "." + name, value})
}

func (t *translator) writeCustom(_ string, e *runlog.Event) {
	value := e.Value
	if value == nil {
		value = json.RawMessage("null")
	}
	t.sendEvent(custom{typeCustom, e.Name, value})
}
