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

// teller translates the log of one run for one client. It keeps all messages, since a client removes one only by a
// snapshot of the others.
type teller struct {
	q      *Request
	frames []sse.Event
	err    error

	run    string // the id in the log
	told   []*message
	open   *message // whose text is being sent, or nil
	holder *message // that holds the calls of the step, or nil
	steps  []stepMark
	shown  int             // the step that is open for the client, or 0
	calls  map[string]bool // ids that the client has seen
	lost   string          // the id of reasoning that was taken back, or ""
	waits  []waiting
	spent  []spending
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

func newTeller(q *Request) *teller { return &teller{q: q, calls: make(map[string]bool)} }

// translate returns the frames of an event of the log.
func (t *teller) translate(e replay.Event) ([]sse.Event, error) {
	t.frames = t.frames[:0]
	tell, ok := tellers[e.Type()]
	if !ok {
		return nil, nil
	}
	decoded, err := runlog.Decode(e)
	if err != nil {
		return nil, err
	}
	tell(t, e.ID, &decoded)
	return t.frames, t.err
}

// tellers holds a function for each type of event, except for the user's message, which the client has.
var tellers = map[string]func(t *teller, at string, e *runlog.Event){
	runlog.RunQueued:         (*teller).tellStart,
	runlog.RunStarted:        (*teller).tellStart,
	runlog.StepStarted:       (*teller).tellStep,
	runlog.StepFinished:      (*teller).tellStepEnd,
	runlog.TextDelta:         (*teller).tellText,
	runlog.ReasoningDelta:    (*teller).tellReasoning,
	runlog.Citation:          (*teller).tellCitation,
	runlog.ToolCall:          (*teller).tellCall,
	runlog.ToolProgress:      (*teller).tellProgress,
	runlog.ToolResult:        (*teller).tellResult,
	runlog.ApprovalRequested: (*teller).noteApproval,
	runlog.Partial:           (*teller).tellPartial,
	runlog.Compacted:         (*teller).noteCompaction,
	runlog.Usage:             (*teller).noteUsage,
	runlog.Custom:            (*teller).tellCustom,
	runlog.Retract:           (*teller).retract,
	runlog.Finished:          (*teller).tellFinish,
	runlog.Failed:            (*teller).tellFailure,
}

func (t *teller) send(event any) {
	if t.err != nil {
		return
	}
	f, err := encodeFrame(event)
	t.err = err
	t.frames = append(t.frames, f)
}

func (t *teller) tellStart(_ string, e *runlog.Event) {
	if t.run != "" { // it was queued, or its beginning was taken back
		return
	}
	t.run = e.Run
	meta := map[string]any{namespace: map[string]string{"run": t.run}}
	t.send(runStarted{typeRunStarted, t.q.Thread, t.q.Run, protocolVersion, meta})
	if e.Continues != "" || t.q.has(t.isOwn) {
		t.sendSnapshot()
	}
}

// isOwn reports whether a message of the client is one of this run.
func (t *teller) isOwn(m *clientMessage) bool { return strings.HasPrefix(m.id, t.run+".") }

// messageID returns the id of the message that begins with an event of the log. It is the same in each telling, and no
// other run has it.
func (t *teller) messageID(at string) string { return t.run + "." + at }

func (t *teller) tellStep(at string, e *runlog.Event) {
	t.changeStep(at, e.Step)
	if t.shown == e.Step { // the process that has taken the run over repeats it
		return
	}
	t.endStep()
	t.shown = e.Step
	t.send(stepEvent{typeStepStarted, stepName(e.Step)})
}

func stepName(n int) string { return "step " + strconv.Itoa(n) }

func (t *teller) tellStepEnd(at string, e *runlog.Event) {
	t.changeStep(at, 0)
	if t.shown == e.Step { // otherwise an earlier run has begun it, or its end was taken back
		t.endStep()
	}
}

func (t *teller) changeStep(at string, step int) {
	t.closeMessage()
	t.holder = nil
	t.steps = append(t.steps, stepMark{at, step})
}

// step returns the step of the log, or 0.
func (t *teller) step() int {
	if len(t.steps) == 0 {
		return 0
	}
	return t.steps[len(t.steps)-1].step
}

// endStep ends the step that is open for the client, with its messages.
func (t *teller) endStep() {
	t.closeMessage()
	if t.shown != 0 {
		t.send(stepEvent{typeStepFinished, stepName(t.shown)})
		t.shown = 0
	}
}

func (t *teller) tellText(at string, e *runlog.Event) {
	if e.Delta == "" {
		return
	}
	if t.open == nil || t.open.role != roleAssistant {
		t.closeMessage()
		t.open = t.begin(roleAssistant, at)
		t.holder = t.open
		t.send(messageStart{typeTextStart, t.open.id, roleAssistant})
	}
	t.open.addText(at, e.Delta)
	t.send(messageContent{typeTextContent, t.open.id, e.Delta})
}

func (t *teller) tellReasoning(at string, e *runlog.Event) {
	if e.Delta == "" {
		return
	}
	if t.open == nil || t.open.role != roleReasoning {
		t.closeMessage()
		t.open = t.begin(roleReasoning, at)
		t.send(messageMark{typeReasoningStart, t.open.id})
		t.send(messageStart{typeReasoningOpen, t.open.id, roleReasoning})
	}
	t.open.addText(at, e.Delta)
	t.send(messageContent{typeReasoningContent, t.open.id, e.Delta})
}

// begin adds a message of the run.
func (t *teller) begin(role, at string) *message {
	m := &message{id: t.messageID(at), role: role, since: at, step: t.step()}
	t.told = append(t.told, m)
	return m
}

func (t *teller) closeMessage() {
	if t.open == nil {
		return
	}
	if t.open.role == roleReasoning {
		t.send(messageMark{typeReasoningClose, t.open.id})
		t.send(messageMark{typeReasoningEnd, t.open.id})
	} else {
		t.send(messageMark{typeTextEnd, t.open.id})
	}
	t.open = nil
}

func (t *teller) tellCall(at string, e *runlog.Event) {
	t.closeMessage()
	if t.holder == nil {
		t.holder = t.begin(roleAssistant, at)
	}
	t.holder.calls = append(t.holder.calls, call{at, e.ID, e.Name, string(e.Input)})
	if t.calls[e.ID] { // it was taken back and is made again; an id may begin only once
		t.sendSnapshot()
		return
	}
	t.calls[e.ID] = true
	t.send(toolStart{typeToolStart, e.ID, e.Name, t.holder.id})
	t.send(toolArgs{typeToolArgs, e.ID, string(e.Input)})
	t.send(toolEnd{typeToolEnd, e.ID})
}

func (t *teller) tellResult(at string, e *runlog.Event) {
	content, meta, err := resultContent(e)
	if err != nil {
		t.err = err
		return
	}
	m := t.begin(roleTool, at)
	m.answers, m.content, m.meta = e.ID, content, meta
	t.send(toolResult{typeToolResult, m.id, e.ID, content, roleTool, meta})
}

func (t *teller) noteApproval(at string, e *runlog.Event) {
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

func (t *teller) tellCitation(_ string, e *runlog.Event) {
	t.sendCustom("citation", citation{e.Text, e.Source, e.Title, e.Quotes, e.Location})
}

func (t *teller) tellProgress(_ string, e *runlog.Event) {
	t.sendCustom("tool_progress", progress{e.ID, e.Value})
}

func (t *teller) tellPartial(_ string, e *runlog.Event) { t.sendCustom("partial", e.Value) }

// sendCustom sends an event that AG-UI does not have.
func (t *teller) sendCustom(name string, value any) {
	t.send(custom{typeCustom, namespace + "." + name, value})
}

func (t *teller) tellCustom(_ string, e *runlog.Event) {
	value := e.Value
	if value == nil {
		value = json.RawMessage("null")
	}
	t.send(custom{typeCustom, e.Name, value})
}
