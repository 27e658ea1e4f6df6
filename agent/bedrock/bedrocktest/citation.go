package bedrocktest

import (
	"fmt"

	"github.com/carrel-go/carrel/agent"
)

// The service's form of a citation, in a stream and in a message.
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Citation.html
type (
	wireCitation struct {
		Title         string         `json:"title,omitempty"`
		Source        string         `json:"source,omitempty"`
		SourceContent []wireQuote    `json:"sourceContent,omitempty"`
		Location      map[string]any `json:"location,omitempty"` // a union: one member
	}
	wireQuote struct {
		Text string `json:"text"`
	}
	// wireCitations is a text with the citations that support it.
	wireCitations struct {
		Content   []wireQuote    `json:"content"`
		Citations []wireCitation `json:"citations"`
	}
)

func (w *wireCitations) text() (text string) {
	for _, c := range w.Content {
		text += c.Text
	}
	return text
}

// newParts returns the text and its citations as parts of a message.
func (w *wireCitations) newParts() []agent.Part {
	text := w.text()
	parts := []agent.Part{{Text: text}}
	for _, c := range w.Citations {
		cited := &agent.Citation{Text: text, Source: c.Source, Title: c.Title, Location: c.newLocation()}
		for _, q := range c.SourceContent {
			cited.Quotes = append(cited.Quotes, q.Text)
		}
		parts = append(parts, agent.Part{Citation: cited})
	}
	return parts
}

// locationMembers maps the agent's names of locations to the member and the name of its index.
var locationMembers = map[string][2]string{
	"char": {"documentChar", "documentIndex"}, "page": {"documentPage", "documentIndex"},
	"chunk": {"documentChunk", "documentIndex"}, "search_result": {"searchResultLocation", "searchResultIndex"},
}

func (w wireCitation) newLocation() agent.Location {
	for kind, name := range locationMembers {
		if place, ok := w.Location[name[0]].(map[string]any); ok {
			n := func(name string) int { f, _ := place[name].(float64); return int(f) }
			return agent.Location{Kind: kind, Index: n(name[1]), Start: n("start"), End: n("end")}
		}
	}
	if place, ok := w.Location["web"].(map[string]any); ok {
		url, _ := place["url"].(string)
		domain, _ := place["domain"].(string)
		return agent.Location{Kind: "web", URL: url, Domain: domain}
	}
	return agent.Location{}
}

// checkCitations accepts the blocks that the service writes. That it accepts them in requests is documented, but not
// recorded. Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html
func checkCitations(c *wireCitations, role, at string) string {
	if role != "assistant" {
		return misplacedMessage("citationsContent", at, role)
	}
	msg := checkBlank(c.text(), "CitationsContentBlock", at)
	for i, p := range c.Citations {
		if msg == "" && p.Location != nil && len(p.Location) != 1 {
			msg = oneKeyMessage("CitationLocation", fmt.Sprintf("%s.citations.%d.location", at, i),
				"web", "documentChar", "documentPage", "documentChunk", "searchResultLocation")
		}
	}
	return msg
}

func newWireCitation(c agent.Citation) wireCitation {
	w := wireCitation{Title: c.Title, Source: c.Source}
	for _, q := range c.Quotes {
		w.SourceContent = append(w.SourceContent, wireQuote{q})
	}
	l := c.Location
	name, ranged := locationMembers[l.Kind]
	switch {
	case l.Kind == "":
	case ranged:
		w.Location = map[string]any{name[0]: map[string]any{name[1]: l.Index, "start": l.Start, "end": l.End}}
	case l.Kind == "web":
		w.Location = map[string]any{"web": map[string]any{"url": l.URL, "domain": l.Domain}}
	default: // an unknown location
		w.Location = map[string]any{l.Kind: map[string]any{}}
	}
	return w
}

// writeCitation adds a citation to the open block of text, or begins a block. Text that follows by writeText is in
// another block.
func (m *messageWriter) writeCitation(c agent.Citation) {
	if m.open != noBlock && m.kind == textBlock {
		m.kind = citedBlock
	}
	m.openBlock(citedBlock)
	b := append(append(beginBlock(m.open), `,"delta":{"citation":`...), marshal(newWireCitation(c))...)
	m.emit("contentBlockDelta", append(b, `}}`...))
}
