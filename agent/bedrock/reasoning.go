package bedrock

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/carrel-go/carrel/agent"
)

// reasoningBlock collects one block of reasoning. The signature covers the text, so both are kept byte for byte.
type reasoningBlock struct {
	text, signature strings.Builder
	redacted        []byte
}

func (a *accumulator) addReasoning(b *block, d types.ReasoningContentBlockDelta) error {
	r := b.reasoning
	switch d := d.(type) {
	case *types.ReasoningContentBlockDeltaMemberText:
		r.text.WriteString(d.Value)
		if s := b.takeRunes(d.Value); s != "" {
			a.emit(agent.ReasoningDelta{Text: s})
		}
	case *types.ReasoningContentBlockDeltaMemberSignature:
		r.signature.WriteString(d.Value)
	case *types.ReasoningContentBlockDeltaMemberRedactedContent:
		r.redacted = append(r.redacted, d.Value...)
	default:
		a.reportSkipped("reasoning", d)
	}
	if r.redacted != nil && r.text.Len()+r.signature.Len() > 0 {
		return newProtocolError(fmt.Sprintf("%d bytes of redacted reasoning in a block of text", len(r.redacted)))
	}
	return nil
}

// newPart returns the complete block, or nil if it has only unknown content. Invalid UTF-8 is an error, because it
// could not be sent back as it was signed.
func (r *reasoningBlock) newPart() (agent.Delta, error) {
	p := agent.Reasoning{Text: r.text.String(), Signature: r.signature.String(), Redacted: r.redacted}
	if !utf8.ValidString(p.Text) || !utf8.ValidString(p.Signature) {
		return nil, newProtocolError("reasoning that is not UTF-8")
	}
	if p.Text == "" && p.Signature == "" && p.Redacted == nil {
		return nil, nil
	}
	return agent.ReasoningPart{Reasoning: p}, nil
}
