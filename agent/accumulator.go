package agent

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/carrel-go/carrel/internal/strictjson"
)

// accumulator assembles an answer from the deltas of one request. It has a method for each type of [Delta], which
// yields the delta's events.
type accumulator struct {
	*answer
	run       *run
	span      *span
	pending   []byte // text that is not a part yet
	ids       callIDs
	typed     map[string]*partialScanner // typed answers that are arriving, by call id
	isText    bool                       // the text is not the typed answer that was asked for
	usage     *Usage                     // nil unless the Model has reported usage
	reason    StopReason
	isStopped bool // a StopPart has come
}

// add takes the next delta.
func (a *accumulator) add(d Delta) error {
	if a.isStopped && !mayFollowStop(d) {
		return malformedAnswer(fmt.Errorf("agent: the model yielded a %T after its StopPart", d))
	}
	ev, _ := d.(Event) // of a delta that is one; unlike a conversion, this does not allocate
	switch d := d.(type) {
	case TextDelta:
		return a.addText(d.Text, ev)
	case CitationPart:
		return a.addCitation(d)
	case ReasoningDelta:
		return a.addReasoningDelta(d, ev)
	case ReasoningPart:
		return a.addReasoning(d)
	case UseDelta:
		return a.addUseDelta(d)
	case UsePart:
		return a.addUse(d)
	case SkippedPart:
		return a.addSkipped(d)
	case UsageReport:
		return a.addUsage(d)
	case StopPart:
		a.reason, a.isStopped = d.Reason, true
		return nil
	}
	return malformedAnswer(fmt.Errorf("agent: the model yielded a delta of type %T", d))
}

// mayFollowStop reports whether d may come after the StopPart. Services send usage and unknown events there.
func mayFollowStop(d Delta) bool {
	switch d.(type) {
	case UsageReport, SkippedPart:
		return true
	}
	return false
}

// close ends the answer. It returns an error if the answer is incomplete or not acceptable.
func (a *accumulator) close() error {
	a.flushText()
	if !a.isStopped {
		return &RunError{Code: CodeTruncated, Message: "The model's answer was cut off.", Retryable: true,
			Err: errors.New("agent: the stream ended without a StopPart")}
	}
	a.run.reason = a.reason
	if err := a.check(a.reason); err != nil {
		return err
	}
	for _, c := range a.calls {
		a.run.callIDs[c.ID] = true
	}
	return nil
}

// emit yields an event of the answer itself.
func (a *accumulator) emit(ev Event) error {
	a.isVisible = true
	return a.run.emit(ev)
}

// addText yields ev, the TextDelta of that text. The text of a typed answer becomes a Partial instead, unless it is not
// a JSON object.
func (a *accumulator) addText(text string, ev Event) error {
	if text == "" {
		return nil
	}
	a.pending = append(a.pending, text...)
	if !a.run.isStructured() || a.isText {
		return a.emit(ev)
	}
	id := fmt.Sprintf("answer-%d", a.run.answers)
	if err := a.growTyped(id, text); err != nil {
		return err
	}
	if s := a.typed[id]; s.isInvalid() {
		a.isText = true
		return a.emit(TextDelta{string(s.buf)})
	}
	return nil
}

// flushText makes the pending text a part, unless it is blank: services refuse blank text.
func (a *accumulator) flushText() {
	if len(bytes.TrimSpace(a.pending)) > 0 {
		a.addPart(Part{Text: string(a.pending)})
	}
	a.pending = a.pending[:0]
}

// addCitation adds a citation after the text that it supports. Earlier text becomes a separate part, unless it is
// blank.
func (a *accumulator) addCitation(d CitationPart) error {
	c := d.Citation
	if err := c.check(); err != nil {
		return malformedAnswer(fmt.Errorf("agent: the model's citation: %w", err))
	}
	text := string(a.pending)
	if before, ok := strings.CutSuffix(text, c.Text); ok && c.Text != "" && strings.TrimSpace(before) != "" {
		a.parts = append(a.parts, Part{Text: before})
		text = c.Text
	}
	if strings.TrimSpace(text) != "" {
		a.parts = append(a.parts, Part{Text: text})
		a.pending = a.pending[:0]
	}
	a.parts = append(a.parts, Part{Citation: &c})
	return a.emit(d)
}

func (a *accumulator) addReasoningDelta(d ReasoningDelta, ev Event) error {
	if d.Text == "" {
		return nil
	}
	return a.emit(ev)
}

// addReasoning adds a block of reasoning unchanged, unless it is empty.
func (a *accumulator) addReasoning(d ReasoningPart) error {
	a.flushText()
	g := signReasoning(a.run.agent.model, d).Reasoning
	if g.Text == "" && g.Signature == "" && len(g.Redacted) == 0 {
		return nil
	}
	if err := g.check(); err != nil {
		return malformedAnswer(fmt.Errorf("agent: the model's reasoning: %w", err))
	}
	a.parts = append(a.parts, Part{Reasoning: &g})
	return nil
}

// addUseDelta yields a Partial if the call gives the typed answer.
func (a *accumulator) addUseDelta(d UseDelta) error {
	id := a.ids.mapID(d.ID)
	if !a.run.isOutputCall(d.Name) {
		return nil
	}
	return a.growTyped(id, d.Input)
}

// addUse adds a whole call, valid or not.
func (a *accumulator) addUse(d UsePart) error {
	a.flushText()
	u := d.ToolUse
	u.ID = a.ids.mapID(d.ID)
	if a.ids.endCall(d.ID) {
		return malformedAnswer(fmt.Errorf("agent: two calls of the answer have the id %q", d.ID))
	}
	if err := a.emitTyped(u); err != nil {
		return err
	}
	if len(u.Input) == 0 {
		u.Input = json.RawMessage("{}") // how services stream a call without arguments
	}
	c := answerCall{ToolUse: u}
	if !isToolName(u.Name) {
		c.invalid = errors.New("its name is not a tool's name")
	} else if args, err := strictjson.ParseObject(u.Input); err != nil {
		c.invalid = fmt.Errorf("its arguments are %w", err)
	} else {
		c.args = args
		a.addPart(Part{Use: &u})
	}
	if a.calls == nil {
		a.calls = make([]answerCall, 0, 2)
	}
	a.calls = append(a.calls, c)
	return nil
}

// addPart adds a part to the answer. Most answers have few.
func (a *accumulator) addPart(p Part) {
	if a.parts == nil {
		a.parts = make([]Part, 0, 4)
	}
	a.parts = append(a.parts, p)
}

func (a *accumulator) addSkipped(d SkippedPart) error {
	a.hasSkipped = a.hasSkipped || !a.isStopped
	a.run.countSkipped(d.Kind)
	a.span.skipPiece(d.Kind)
	return nil
}

// addUsage yields the increase of the answer's usage.
func (a *accumulator) addUsage(d UsageReport) error {
	var before Usage
	isFirst := a.usage == nil
	if !isFirst {
		before = *a.usage
	}
	total := d.largestOf(before)
	a.usage = &total
	more := total.minusUsage(before)
	if more == (Usage{}) && !isFirst {
		return nil
	}
	a.run.addUsage(more)
	return a.run.emit(UsageReport{Usage: more, Model: cmp.Or(d.Model, signerName(a.run.agent.model))})
}

// growTyped appends to a typed answer, and yields a Partial if it has grown enough.
func (a *accumulator) growTyped(id, text string) error {
	s := a.typed[id]
	if s == nil {
		if a.typed == nil {
			a.typed = map[string]*partialScanner{}
		}
		s = &partialScanner{}
		a.typed[id] = s
	}
	s.write(text)
	if !s.hasGrown() {
		return nil
	}
	return a.emit(Partial{ID: id, JSON: s.takeObject()})
}

// emitTyped yields a whole typed answer, unless its UseDeltas have been yielded.
func (a *accumulator) emitTyped(u ToolUse) error {
	if !a.run.isOutputCall(u.Name) || a.typed[u.ID] != nil || len(u.Input) == 0 || strictjson.CheckObject(u.Input) != nil {
		return nil
	}
	return a.emit(Partial{ID: u.ID, JSON: u.Input})
}
