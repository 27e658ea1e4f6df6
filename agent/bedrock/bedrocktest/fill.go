package bedrocktest

import (
	"encoding/json"
	"strings"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/tools"
)

// setFields converts a request that has passed check.
func (r *Request) setFields(in *wireRequest) {
	var system []string
	for _, s := range in.System {
		switch {
		case s.CachePoint != nil:
			r.CachePoints++
		case s.Guard != nil:
			system = append(system, r.newGuardedPart(s.Guard).Text)
		default:
			system = append(system, *s.Text)
		}
	}
	r.System = strings.Join(system, "\n\n")
	if c := in.InferenceConfig; c != nil && c.MaxTokens != nil {
		r.MaxTokens = *c.MaxTokens
	}
	r.setTools(in.ToolConfig)
	for _, m := range in.Messages {
		msg := agent.Message{Role: agent.Role(m.Role)}
		for _, b := range m.Content {
			switch {
			case b.CachePoint != nil:
				r.CachePoints++
			case b.ToolUse != nil && b.ToolUse.Type != "", b.ToolResult != nil && isServerResult(b.ToolResult):
				// an agent's message cannot contain them
			default:
				msg.Parts = append(msg.Parts, r.newParts(b)...)
			}
		}
		r.Messages = append(r.Messages, msg)
	}
	if c := in.OutputConfig; c != nil && c.TextFormat != nil {
		s := c.TextFormat.Structure.JSONSchema
		r.Output = &tools.Spec{Name: s.Name, Description: s.Description, Schema: json.RawMessage(s.Schema)}
	}
	r.extras = append(r.extras, unsupportedMembers(in)...)
}

func (r *Request) setTools(c *wireToolConfig) {
	if c == nil {
		return
	}
	for _, t := range c.Tools {
		if t.CachePoint != nil {
			r.CachePoints++
			continue
		}
		if t.SystemTool != nil {
			r.extras = append(r.extras, "systemTool")
			continue
		}
		s := tools.Spec{Name: t.ToolSpec.Name, Schema: t.ToolSpec.InputSchema.JSON, Strict: t.ToolSpec.Strict}
		if t.ToolSpec.Description != nil {
			s.Description = *t.ToolSpec.Description
		}
		r.Tools = append(r.Tools, s)
	}
	switch choice := c.ToolChoice; {
	case choice == nil:
	case choice.Any != nil:
		r.Choice = agent.Choice{Any: true}
	case choice.Tool != nil:
		r.Choice = agent.Choice{Name: choice.Tool.Name}
	}
}

func (r *Request) newParts(b wireBlock) []agent.Part {
	if b.Citations != nil {
		return b.Citations.newParts()
	}
	return []agent.Part{r.newPart(b)}
}

func (r *Request) newPart(b wireBlock) agent.Part {
	switch {
	case b.Guard != nil:
		return r.newGuardedPart(b.Guard)
	case b.ToolUse != nil:
		return agent.Part{Use: &agent.ToolUse{ID: b.ToolUse.ToolUseID, Name: b.ToolUse.Name, Input: b.ToolUse.Input}}
	case b.ToolResult != nil:
		return r.newResult(b.ToolResult)
	case b.Image != nil:
		return agent.Part{Image: r.newMedia(b.Image)}
	case b.Document != nil:
		return agent.Part{Document: r.newMedia(b.Document)}
	case b.Video != nil:
		return agent.Part{Video: r.newMedia(b.Video)}
	case b.Reasoning != nil && b.Reasoning.ReasoningText != nil:
		t := b.Reasoning.ReasoningText
		return agent.Part{Reasoning: &agent.Reasoning{Text: *t.Text, Signature: *t.Signature}}
	case b.Reasoning != nil:
		return agent.Part{Reasoning: &agent.Reasoning{Redacted: b.Reasoning.RedactedContent}}
	}
	return agent.Part{Text: *b.Text}
}

func (r *Request) newResult(w *wireToolResult) agent.Part {
	res := &agent.ToolResult{ID: w.ToolUseID}
	res.IsError = w.Status == "error"
	for _, c := range w.Content {
		var b tools.Block
		switch {
		case c.Text != nil:
			b.Text = *c.Text
		case c.Image != nil:
			b.Image = r.newMedia(c.Image)
		case c.Document != nil:
			b.Document = r.newMedia(c.Document)
		case c.Video != nil:
			b.Video = r.newMedia(c.Video)
		default:
			b.JSON = c.JSON
		}
		res.Blocks = append(res.Blocks, b)
	}
	return agent.Part{Result: res}
}

func (r *Request) newMedia(m *wireMedia) *tools.Media {
	r.remote = r.remote || m.Source.S3Location != nil
	if m.Source.Text != nil {
		return &tools.Media{Format: m.Format, Bytes: []byte(*m.Source.Text)}
	}
	return &tools.Media{Format: strings.TrimPrefix(m.Format, "video/"), Bytes: m.Source.Bytes}
}

// unsupportedMembers returns the names of members that an agent.Request cannot represent.
func unsupportedMembers(in *wireRequest) (names []string) {
	add := func(name string, set bool) {
		if set {
			names = append(names, name)
		}
	}
	if c := in.InferenceConfig; c != nil {
		add("temperature", c.Temperature != nil)
		add("topP", c.TopP != nil)
		add("stopSequences", len(c.StopSequences) > 0)
	}
	add("additionalModelRequestFields", in.AdditionalModelRequestFields != nil)
	add("guardrailConfig", in.GuardrailConfig != nil)
	add("performanceConfig", in.PerformanceConfig != nil)
	add("serviceTier", in.ServiceTier != nil)
	return names
}
