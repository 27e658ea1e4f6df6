package bedrock

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/carrel-go/carrel/agent"
)

// answer folds the events of one stream into deltas. Blocks may interleave: their index tells them apart.
type answer struct {
	blocks  map[int32]*block
	open    int // blocks without their contentBlockStop
	stopped bool
}

type kind int

const (
	undecided kind = iota // opened by an event that does not say what it is
	text
	thought
	toolUse
	skipped // citations, server-side tools, and what this version does not know
)

// block is one content block of the answer. Text and reasoning have no contentBlockStart: the first delta opens them.
type block struct {
	kind     kind
	closed   bool
	id, name string
	input    []byte // of a tool use: the fragments joined, whatever they are; none for a call without arguments
	tail     string // the beginning of a rune whose end has not come yet
	thought  *reasoned
}

// take folds one event in; it gives the delta that the event completes, or nil.
func (a *answer) take(ev types.ConverseStreamOutput) (agent.Delta, error) {
	switch ev := ev.(type) {
	case *types.ConverseStreamOutputMemberContentBlockStart:
		return nil, a.start(ev.Value)
	case *types.ConverseStreamOutputMemberContentBlockDelta:
		return a.delta(ev.Value)
	case *types.ConverseStreamOutputMemberContentBlockStop:
		return a.stop(ev.Value)
	case *types.ConverseStreamOutputMemberMessageStop:
		return a.messageStop(ev.Value)
	case *types.ConverseStreamOutputMemberMetadata:
		return usage(ev.Value.Usage), nil
	default: // messageStart tells nothing new; what the SDK does not know, or we, is skipped
		return nil, nil
	}
}

// at finds the block of an index, or opens it.
func (a *answer) at(index *int32) (*block, error) {
	if a.stopped {
		return nil, outOfOrder("a content block after the message's end")
	}
	if index == nil {
		return nil, outOfOrder("a content block without an index")
	}
	if b := a.blocks[*index]; b != nil {
		if b.closed {
			return nil, outOfOrder(fmt.Sprintf("more of content block %d after its end", *index))
		}
		return b, nil
	}
	if a.blocks == nil {
		a.blocks = make(map[int32]*block)
	}
	b := &block{}
	a.blocks[*index] = b
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
	case nil:
	case *types.ContentBlockStartMemberToolUse:
		// The service runs only these itself. Newer Claude models write the type "tool_use" into every other call.
		if start.Value.Type == types.ToolUseTypeServerToolUse {
			b.kind = skipped
			return nil
		}
		b.kind, b.id, b.name = toolUse, aws.ToString(start.Value.ToolUseId), aws.ToString(start.Value.Name)
	default:
		b.kind = skipped
	}
	return nil
}

func (a *answer) delta(ev types.ContentBlockDeltaEvent) (agent.Delta, error) {
	b, err := a.at(ev.ContentBlockIndex)
	if err != nil {
		return nil, err
	}
	switch d := ev.Delta.(type) {
	case *types.ContentBlockDeltaMemberText:
		if b.kind == undecided {
			b.kind = text
		}
		if b.kind == text {
			if s := b.runes(d.Value); s != "" {
				return agent.TextPart{Text: s}, nil
			}
			return nil, nil
		}
	case *types.ContentBlockDeltaMemberToolUse:
		if b.kind == toolUse {
			fragment := aws.ToString(d.Value.Input)
			b.input = append(b.input, fragment...)
			if s := b.runes(fragment); s != "" {
				return agent.UseDelta{ID: b.id, Name: b.name, Input: s}, nil
			}
			return nil, nil
		}
	case *types.ContentBlockDeltaMemberReasoningContent:
		if b.kind == undecided {
			b.kind, b.thought = thought, &reasoned{}
		}
		if b.kind == thought {
			return b.think(d.Value)
		}
	default: // citations belong to a text block; the others have blocks of their own
		if b.kind == undecided {
			b.kind = skipped
		}
		return nil, nil
	}
	if b.kind == skipped {
		return nil, nil
	}
	return nil, outOfOrder(fmt.Sprintf("a delta that does not belong in content block %d", *ev.ContentBlockIndex))
}

func (a *answer) stop(ev types.ContentBlockStopEvent) (agent.Delta, error) {
	b, err := a.at(ev.ContentBlockIndex)
	if err != nil {
		return nil, err
	}
	b.closed = true
	a.open--
	switch b.kind {
	case toolUse:
		return agent.UsePart{ToolUse: agent.ToolUse{ID: b.id, Name: b.name, Input: b.input}}, nil
	case thought:
		return b.thought.part()
	case text:
		if b.tail != "" {
			return agent.TextPart{Text: b.tail}, nil
		}
	}
	return nil, nil
}

func (a *answer) messageStop(ev types.MessageStopEvent) (agent.Delta, error) {
	if a.stopped {
		return nil, outOfOrder("a second end of the message")
	}
	if a.open > 0 {
		return nil, truncated(fmt.Errorf("bedrock: the message ended with %d content blocks open", a.open))
	}
	a.stopped = true
	r, ok := reason(ev.StopReason)
	if !ok {
		return nil, &agent.ModelError{
			Code:    agent.Internal,
			Message: "The model stopped for a reason that is not known here.",
			Err:     fmt.Errorf("bedrock: unknown stop reason %q", ev.StopReason),
		}
	}
	return agent.StopPart{Reason: r}, nil
}

// end says whether the stream may end here.
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
	if u == nil {
		return nil
	}
	return agent.UsagePart{Usage: agent.Usage{
		Input:      int64(aws.ToInt32(u.InputTokens)),
		Output:     int64(aws.ToInt32(u.OutputTokens)),
		CacheRead:  int64(aws.ToInt32(u.CacheReadInputTokens)),
		CacheWrite: int64(aws.ToInt32(u.CacheWriteInputTokens)),
	}}
}

func reason(r types.StopReason) (agent.Reason, bool) {
	switch r {
	case types.StopReasonEndTurn:
		return agent.EndTurn, true
	case types.StopReasonToolUse:
		return agent.ToolUseReason, true
	case types.StopReasonMaxTokens:
		return agent.MaxTokens, true
	case types.StopReasonStopSequence:
		return agent.StopSequence, true
	case types.StopReasonGuardrailIntervened, types.StopReasonContentFiltered:
		return agent.ContentFiltered, true
	case types.StopReasonModelContextWindowExceeded:
		return agent.ContextWindow, true
	case types.StopReasonMalformedModelOutput, types.StopReasonMalformedToolUse:
		return agent.Malformed, true
	}
	return "", false
}
