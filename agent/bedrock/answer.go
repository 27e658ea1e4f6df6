package bedrock

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/carrel-go/carrel/agent"
)

// answer folds the events of one stream into deltas. Blocks may interleave: their index tells them apart.
type answer struct {
	blocks  []*block // in the order in which they began
	open    int      // blocks without their contentBlockStop
	stopped bool
	out     []agent.Delta  // of the event that was folded in last
	room    [1]agent.Delta // most events complete one at most
}

type kind int

const (
	undecided kind = iota // opened by an event that does not say what it is
	text
	thought
	toolUse
	skipped // not for the caller: images, and calls and results of the service's tools
)

// block is one content block of the answer. Text and reasoning have no contentBlockStart: the first delta opens them.
type block struct {
	index    int32
	kind     kind
	closed   bool
	id, name string
	input    []byte // of a tool use: the fragments joined, whatever they are; none for a call without arguments
	tail     string // the beginning of a rune whose end has not come yet
	thought  *reasoned
	unknown  bool // its start is unknown, and no delta has come

	first     string          // of a text: its first delta
	rest      strings.Builder // and the others
	citations []agent.Citation
}

// take folds one event in. It returns the deltas that the event completes, which are valid until the next call.
func (a *answer) take(ev types.ConverseStreamOutput) ([]agent.Delta, error) {
	if a.out == nil {
		a.out = a.room[:]
	}
	clear(a.out)
	a.out = a.out[:0]
	var err error
	switch ev := ev.(type) {
	case *types.ConverseStreamOutputMemberMessageStart: // it has only the role
	case *types.ConverseStreamOutputMemberContentBlockStart:
		err = a.start(ev.Value)
	case *types.ConverseStreamOutputMemberContentBlockDelta:
		err = a.delta(ev.Value)
	case *types.ConverseStreamOutputMemberContentBlockStop:
		err = a.stop(ev.Value)
	case *types.ConverseStreamOutputMemberMessageStop:
		err = a.messageStop(ev.Value)
	case *types.ConverseStreamOutputMemberMetadata:
		if ev.Value.Usage != nil {
			a.emit(usage(ev.Value.Usage))
		}
	default:
		a.skip("event", ev)
	}
	return a.out, err
}

func (a *answer) emit(d agent.Delta) { a.out = append(a.out, d) }

// skip reports a member of a union that is not passed on.
func (a *answer) skip(union string, member any) {
	a.emit(agent.SkippedPart{Kind: kindOf(union, member)})
}

// kindOf names a member of a union that is not passed on. The SDK names events that it does not know, and reads other
// members that it does not know as nil: then the union has to do.
func kindOf(union string, member any) string {
	switch m := member.(type) {
	case *types.UnknownUnionMember:
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

// at finds the block of an index, or opens it.
func (a *answer) at(index *int32) (*block, error) {
	if a.stopped {
		return nil, outOfOrder("a content block after the message's end")
	}
	if index == nil {
		return nil, outOfOrder("a content block without an index")
	}
	for _, b := range slices.Backward(a.blocks) { // the one that is meant is among the last
		switch {
		case b.index != *index:
		case b.closed:
			return nil, outOfOrder(fmt.Sprintf("more of content block %d after its end", *index))
		default:
			return b, nil
		}
	}
	b := &block{index: *index}
	a.blocks = append(a.blocks, b)
	a.open++
	return b, nil
}

func (a *answer) start(ev types.ContentBlockStartEvent) error {
	b, err := a.at(ev.ContentBlockIndex)
	if err != nil {
		return err
	}
	if b.kind != undecided {
		return outOfOrder(fmt.Sprintf("content block %d started twice", *ev.ContentBlockIndex))
	}
	switch start := ev.Start.(type) {
	case nil: // the kind of the block follows from its deltas
		b.unknown = true
	case *types.ContentBlockStartMemberToolUse:
		// The service runs only these itself. Newer Claude models write the type "tool_use" into every other call.
		if start.Value.Type == types.ToolUseTypeServerToolUse {
			b.kind = skipped
			a.skip("start", start)
			return nil
		}
		b.kind, b.id, b.name = toolUse, aws.ToString(start.Value.ToolUseId), aws.ToString(start.Value.Name)
	default:
		b.kind = skipped
		a.skip("start", start)
	}
	return nil
}

func (a *answer) delta(ev types.ContentBlockDeltaEvent) error {
	b, err := a.at(ev.ContentBlockIndex)
	if err != nil {
		return err
	}
	ok := true
	switch d := ev.Delta.(type) {
	case *types.ContentBlockDeltaMemberText:
		if ok = b.become(text); ok {
			a.textDelta(b, d.Value)
		}
	case *types.ContentBlockDeltaMemberCitation:
		if ok = b.become(text); ok {
			b.citations = append(b.citations, citation(d.Value))
		}
	case *types.ContentBlockDeltaMemberToolUse:
		switch b.kind {
		case skipped: // the arguments of a call that the service makes itself
		case toolUse:
			a.inputDelta(b, aws.ToString(d.Value.Input))
		default:
			ok = false
		}
	case *types.ContentBlockDeltaMemberReasoningContent:
		if ok = b.become(thought); ok {
			return a.think(b, d.Value)
		}
	default: // the kind of the block is still open: a known delta may follow
		if b.kind != skipped {
			b.unknown = false
			a.skip("delta", d)
		}
	}
	if !ok {
		return outOfOrder(fmt.Sprintf("a delta that does not belong in content block %d", *ev.ContentBlockIndex))
	}
	return nil
}

// become makes b a block of that kind, unless it is of another. Text and reasoning are never lost: a block that was
// skipped at its start becomes what its deltas are.
func (b *block) become(k kind) bool {
	if b.kind == undecided || b.kind == skipped {
		b.kind = k
		if k == thought {
			b.thought = &reasoned{}
		}
	}
	return b.kind == k
}

func (a *answer) textDelta(b *block, s string) {
	if b.first == "" {
		b.first = s
	} else {
		b.rest.WriteString(s)
	}
	if s = b.runes(s); s != "" {
		a.emit(agent.TextDelta{Text: s})
	}
}

func (a *answer) inputDelta(b *block, fragment string) {
	b.input = append(b.input, fragment...)
	if s := b.runes(fragment); s != "" {
		a.emit(agent.UseDelta{ID: b.id, Name: b.name, Input: s})
	}
}

func (a *answer) stop(ev types.ContentBlockStopEvent) error {
	b, err := a.at(ev.ContentBlockIndex)
	if err != nil {
		return err
	}
	b.closed = true
	a.open--
	switch b.kind {
	case toolUse:
		a.emit(agent.UsePart{ToolUse: agent.ToolUse{ID: b.id, Name: b.name, Input: b.input}})
	case thought:
		part, err := b.thought.part()
		if part != nil {
			a.emit(part)
		}
		return err
	case undecided:
		if b.unknown {
			a.skip("start", nil)
		}
	case text:
		if b.tail != "" {
			a.emit(agent.TextDelta{Text: b.tail})
		}
		for _, c := range b.citations {
			c.Text = b.first + b.rest.String()
			a.emit(agent.CitationPart{Citation: c})
		}
	}
	return nil
}

func (a *answer) messageStop(ev types.MessageStopEvent) error {
	if a.stopped {
		return outOfOrder("a second end of the message")
	}
	if a.open > 0 {
		return truncated(fmt.Errorf("bedrock: the message ended with %d content blocks open", a.open))
	}
	a.stopped = true
	a.emit(agent.StopPart{Reason: reason(ev.StopReason)})
	return nil
}

// end returns an error unless the stream may end here.
func (a *answer) end() error {
	if !a.stopped {
		return truncated(errors.New("bedrock: the stream ended without messageStop"))
	}
	return nil
}

// runes gives as much of what has come as ends with a whole rune, and keeps the rest back: a delta may be shown, or
// put into JSON, by itself.
func (b *block) runes(s string) string {
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

func usage(u *types.TokenUsage) agent.Delta {
	return agent.UsageReport{Usage: agent.Usage{
		Input:      int64(aws.ToInt32(u.InputTokens)),
		Output:     int64(aws.ToInt32(u.OutputTokens)),
		CacheRead:  int64(aws.ToInt32(u.CacheReadInputTokens)),
		CacheWrite: int64(aws.ToInt32(u.CacheWriteInputTokens)),
	}}
}

// reason returns the agent's name of a stop reason. The service's list is open, so what is not listed here is passed on.
func reason(r types.StopReason) agent.StopReason {
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
