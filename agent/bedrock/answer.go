package bedrock

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/eventstream"

	"github.com/carrel-go/carrel/agent"
)

// accumulator converts the events of one stream to deltas. Blocks may interleave; their index identifies them.
type accumulator struct {
	blocks  []*block // in the order in which they began
	open    int      // blocks without their contentBlockStop
	stopped bool
	out     []agent.Delta  // of the last event
	room    [1]agent.Delta // most events complete one at most
}

type blockKind int

const (
	undecidedKind blockKind = iota // opened by an event without a known kind
	textKind
	reasoningKind
	toolUseKind
	skippedKind // images, and calls and results of the service's tools
)

// block is one content block of the answer. Text and reasoning do not have a contentBlockStart: their first delta opens
// them.
type block struct {
	index     int32
	kind      blockKind
	closed    bool
	id, name  string
	input     []byte // of a tool use: the fragments joined, unchecked; empty for a call without arguments
	tail      string // the beginning of an incomplete rune
	reasoning *reasoningBlock
	unknown   bool // its start is unknown, and it does not have a delta yet

	first     string          // the first delta of a text
	rest      strings.Builder // its other deltas
	citations []agent.Citation
}

// addEvent returns the deltas that an event completes. They are valid until the next call.
func (a *accumulator) addEvent(ev smithy.Deserializable) ([]agent.Delta, error) {
	if a.out == nil {
		a.out = a.room[:]
	}
	clear(a.out)
	a.out = a.out[:0]
	var err error
	switch ev := ev.(type) {
	case *types.MessageStartEvent: // it has only the role
	case *types.ContentBlockStartEvent:
		err = a.startBlock(ev)
	case *types.ContentBlockDeltaEvent:
		err = a.addDelta(ev)
	case *types.ContentBlockStopEvent:
		err = a.stopBlock(ev)
	case *types.MessageStopEvent:
		err = a.stopMessage(ev)
	case *types.ConverseStreamMetadataEvent:
		if ev.Usage != nil {
			a.emit(newUsage(ev.Usage))
		}
	default:
		a.reportSkipped("event", ev)
	}
	return a.out, err
}

func (a *accumulator) emit(d agent.Delta) { a.out = append(a.out, d) }

// reportSkipped reports a member of a union that the agent cannot represent.
func (a *accumulator) reportSkipped(union string, member any) {
	a.emit(agent.SkippedPart{Kind: kindOf(union, member)})
}

// kindOf names such a member. The SDK names unknown events, and decodes other unknown members as nil; these are named
// after their union.
func kindOf(union string, member any) string {
	switch m := member.(type) {
	case *eventstream.UnknownUnionMember:
		return "unknown:" + strings.ToValidUTF8(m.Tag, "\uFFFD")
	case *types.ContentBlockStartMemberToolUse:
		return string(types.ToolUseTypeServerToolUse)
	case *types.ContentBlockStartMemberToolResult, *types.ContentBlockDeltaMemberToolResult:
		return "tool_result"
	case *types.ContentBlockStartMemberImage, *types.ContentBlockDeltaMemberImage:
		return "image"
	}
	return "unknown:" + union
}

// openBlock returns the block with an index, and opens it if necessary.
func (a *accumulator) openBlock(index *int32) (*block, error) {
	if a.stopped {
		return nil, newProtocolError("a content block after the message's end")
	}
	if index == nil {
		return nil, newProtocolError("a content block without an index")
	}
	for _, b := range slices.Backward(a.blocks) { // usually one of the last
		switch {
		case b.index != *index:
		case b.closed:
			return nil, newProtocolError(fmt.Sprintf("more of content block %d after its end", *index))
		default:
			return b, nil
		}
	}
	b := &block{index: *index}
	a.blocks = append(a.blocks, b)
	a.open++
	return b, nil
}

func (a *accumulator) startBlock(ev *types.ContentBlockStartEvent) error {
	b, err := a.openBlock(ev.ContentBlockIndex)
	if err != nil {
		return err
	}
	if b.kind != undecidedKind {
		return newProtocolError(fmt.Sprintf("content block %d started twice", *ev.ContentBlockIndex))
	}
	switch start := ev.Start.(type) {
	case nil: // the deltas determine the kind
		b.unknown = true
	case *types.ContentBlockStartMemberToolUse:
		// Only calls of this type are run by the service. Newer Claude models set the type "tool_use" in all other
		// calls.
		if start.Value.Type == types.ToolUseTypeServerToolUse {
			b.kind = skippedKind
			a.reportSkipped("start", start)
			return nil
		}
		b.kind, b.id, b.name = toolUseKind, aws.ToString(start.Value.ToolUseId), aws.ToString(start.Value.Name)
	default:
		b.kind = skippedKind
		a.reportSkipped("start", start)
	}
	return nil
}

func (a *accumulator) addDelta(ev *types.ContentBlockDeltaEvent) error {
	b, err := a.openBlock(ev.ContentBlockIndex)
	if err != nil {
		return err
	}
	ok := true
	switch d := ev.Delta.(type) {
	case *types.ContentBlockDeltaMemberText:
		if ok = b.setKind(textKind); ok {
			a.addText(b, d.Value)
		}
	case *types.ContentBlockDeltaMemberCitation:
		if ok = b.setKind(textKind); ok {
			b.citations = append(b.citations, newCitation(d.Value))
			if d.Value.Location == nil { // missing, or of a kind that the SDK does not know
				a.reportSkipped("location", nil)
			}
		}
	case *types.ContentBlockDeltaMemberToolUse:
		switch b.kind {
		case skippedKind: // the arguments of a call that the service runs
		case toolUseKind:
			a.addInput(b, aws.ToString(d.Value.Input))
		default:
			ok = false
		}
	case *types.ContentBlockDeltaMemberReasoningContent:
		if ok = b.setKind(reasoningKind); ok {
			return a.addReasoning(b, d.Value)
		}
	default: // the kind is still unknown: a known delta may follow
		if b.kind != skippedKind {
			b.unknown = false
			a.reportSkipped("delta", d)
		}
	}
	if !ok {
		return newProtocolError(fmt.Sprintf("a delta that does not belong in content block %d", *ev.ContentBlockIndex))
	}
	return nil
}

// setKind sets the kind of an undecided or skipped block, and reports whether b is of that kind. A block that was
// skipped at its start takes the kind of its deltas, so that text and reasoning are not lost.
func (b *block) setKind(k blockKind) bool {
	if b.kind == undecidedKind || b.kind == skippedKind {
		b.kind = k
		if k == reasoningKind {
			b.reasoning = &reasoningBlock{}
		}
	}
	return b.kind == k
}

func (a *accumulator) addText(b *block, s string) {
	if b.first == "" {
		b.first = s
	} else {
		b.rest.WriteString(s)
	}
	if s = b.takeRunes(s); s != "" {
		a.emit(agent.TextDelta{Text: s})
	}
}

func (a *accumulator) addInput(b *block, fragment string) {
	b.input = append(b.input, fragment...)
	if s := b.takeRunes(fragment); s != "" {
		a.emit(agent.UseDelta{ID: b.id, Name: b.name, Input: s})
	}
}

func (a *accumulator) stopBlock(ev *types.ContentBlockStopEvent) error {
	b, err := a.openBlock(ev.ContentBlockIndex)
	if err != nil {
		return err
	}
	b.closed = true
	a.open--
	switch b.kind {
	case toolUseKind:
		a.emit(agent.UsePart{ToolUse: agent.ToolUse{ID: b.id, Name: b.name, Input: b.input}})
	case reasoningKind:
		part, err := b.reasoning.newPart()
		if part != nil {
			a.emit(part)
		}
		return err
	case undecidedKind:
		if b.unknown {
			a.reportSkipped("start", nil)
		}
	case textKind:
		if b.tail != "" {
			a.emit(agent.TextDelta{Text: b.tail})
		}
		if len(b.citations) > 0 {
			text := b.first + b.rest.String()
			for _, c := range b.citations {
				c.Text = text
				a.emit(agent.CitationPart{Citation: c})
			}
		}
	}
	return nil
}

func (a *accumulator) stopMessage(ev *types.MessageStopEvent) error {
	if a.stopped {
		return newProtocolError("a second end of the message")
	}
	if a.open > 0 {
		return newTruncatedError(fmt.Errorf("bedrock: the message ended with %d content blocks open", a.open))
	}
	a.stopped = true
	a.emit(agent.StopPart{Reason: mapStopReason(ev.StopReason)})
	return nil
}

// checkEnd returns an error unless the stream may end here.
func (a *accumulator) checkEnd() error {
	if !a.stopped {
		return newTruncatedError(errors.New("bedrock: the stream ended without messageStop"))
	}
	return nil
}

// takeRunes returns the complete runes of the input so far and keeps an incomplete rune for the next call, so that each
// delta is valid UTF-8.
func (b *block) takeRunes(s string) string {
	if b.tail != "" {
		s = b.tail + s
		b.tail = ""
	}
	for i := len(s) - 1; i >= 0 && i >= len(s)-utf8.UTFMax+1; i-- {
		if utf8.RuneStart(s[i]) {
			if !utf8.FullRuneInString(s[i:]) {
				s, b.tail = s[:i], strings.Clone(s[i:])
			}
			break
		}
	}
	return s
}

func newUsage(u *types.TokenUsage) agent.Delta {
	return agent.UsageReport{Usage: agent.Usage{
		Input:      int64(aws.ToInt32(u.InputTokens)),
		Output:     int64(aws.ToInt32(u.OutputTokens)),
		CacheRead:  int64(aws.ToInt32(u.CacheReadInputTokens)),
		CacheWrite: int64(aws.ToInt32(u.CacheWriteInputTokens)),
	}}
}

// mapStopReason returns the agent's name of a stop reason. The service's list is open, so other reasons are passed on.
func mapStopReason(r types.StopReason) agent.StopReason {
	switch r {
	case types.StopReasonEndTurn:
		return agent.StopEndTurn
	case types.StopReasonToolUse:
		return agent.StopToolUse
	case types.StopReasonMaxTokens:
		return agent.StopMaxTokens
	case types.StopReasonStopSequence:
		return agent.StopSequence
	case types.StopReasonGuardrailIntervened, types.StopReasonContentFiltered:
		return agent.StopContentFiltered
	case types.StopReasonModelContextWindowExceeded:
		return agent.StopContextWindow
	case types.StopReasonMalformedModelOutput, types.StopReasonMalformedToolUse:
		return agent.StopMalformed
	case "":
		return "unknown"
	}
	return agent.StopReason(r)
}
