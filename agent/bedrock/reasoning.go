package bedrock

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/carrel-go/carrel/agent"
)

// reasoned gathers one block of reasoning. The signature is over the text, so both are kept byte for byte.
type reasoned struct {
	text, signature strings.Builder
	redacted        []byte
}

// think takes in one delta of a block of reasoning.
func (a *answer) think(b *block, d types.ReasoningContentBlockDelta) error {
	r := b.thought
	switch d := d.(type) {
	case *types.ReasoningContentBlockDeltaMemberText:
		r.text.WriteString(d.Value)
		if s := b.runes(d.Value); s != "" && r.redacted == nil {
			a.emit(agent.ReasoningDelta{Text: s})
		}
	case *types.ReasoningContentBlockDeltaMemberSignature:
		r.signature.WriteString(d.Value)
	case *types.ReasoningContentBlockDeltaMemberRedactedContent:
		r.redacted = append(r.redacted, d.Value...)
	default:
		a.skip("reasoning", d)
	}
	if r.redacted != nil && r.text.Len()+r.signature.Len() > 0 {
		return outOfOrder(fmt.Sprintf("%d bytes of redacted reasoning in a block of text", len(r.redacted)))
	}
	return nil
}

// part is the whole block; nil, if nothing but what is not known here came. Text that is no text cannot be sent back
// as it was signed.
func (r *reasoned) part() (agent.Delta, error) {
	p := agent.Reasoning{Text: r.text.String(), Signature: r.signature.String(), Redacted: r.redacted}
	if !utf8.ValidString(p.Text) || !utf8.ValidString(p.Signature) {
		return nil, outOfOrder("reasoning that is not UTF-8")
	}
	if p.Text == "" && p.Signature == "" && p.Redacted == nil {
		return nil, nil
	}
	return agent.ReasoningPart{Reasoning: p}, nil
}
