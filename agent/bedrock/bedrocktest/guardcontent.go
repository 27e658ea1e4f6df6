package bedrocktest

import (
	"slices"

	"github.com/carrel-go/carrel/agent"
)

// wireGuardContent is content that a guardrail checks, a union. For the model it is ordinary content.
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_GuardrailConverseContentBlock.html
type wireGuardContent struct {
	Text  *wireGuardText `json:"text,omitempty"`
	Image *wireMedia     `json:"image,omitempty"`
}

type wireGuardText struct {
	Text       string   `json:"text"`
	Qualifiers []string `json:"qualifiers,omitempty"`
}

func checkGuardContent(g *wireGuardContent, at string) string {
	at += ".guardContent"
	switch {
	case countTrue(g.Text != nil, g.Image != nil) != 1:
		return oneKeyMessage("GuardrailConverseContentBlock", at, "text, image")
	case g.Image != nil && g.Image.Format != "png" && g.Image.Format != "jpeg":
		return enumMessage(g.Image.Format, at+".image.format", "png, jpeg")
	case g.Image != nil:
		return checkImage(g.Image, at+".image")
	case isBlank(g.Text.Text):
		return blankMessage("GuardrailConverseTextBlock", at+".text")
	}
	known := []string{"grounding_source", "query", "guard_content"}
	for _, q := range g.Text.Qualifiers {
		if !slices.Contains(known, q) {
			return enumMessage(q, at+".text.qualifiers", "grounding_source, query, guard_content")
		}
	}
	return ""
}

// newGuardedPart returns the content as a part.
func (r *Request) newGuardedPart(g *wireGuardContent) agent.Part {
	if g.Image != nil {
		return agent.Part{Image: r.newMedia(g.Image)}
	}
	return agent.Part{Text: g.Text.Text}
}
