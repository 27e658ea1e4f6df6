package bedrocktest

import (
	"cmp"

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
	if msg := checkUnion("GuardrailConverseContentBlock", at, *g); msg != "" {
		return msg
	}
	if g.Image != nil {
		return checkFile(g.Image, g.Image.Format, at+".image", "ImageSource", []string{"png", "jpeg"}, maxImageBytes)
	}
	msg := checkBlank(g.Text.Text, "GuardrailConverseTextBlock", at+".text")
	for _, q := range g.Text.Qualifiers {
		msg = cmp.Or(msg, checkEnum(q, at+".text.qualifiers", "grounding_source", "query", "guard_content"))
	}
	return msg
}

func (r *Request) newGuardedPart(g *wireGuardContent) agent.Part {
	if g.Image != nil {
		return agent.Part{Image: r.newMedia(g.Image)}
	}
	return agent.Part{Text: g.Text.Text}
}
