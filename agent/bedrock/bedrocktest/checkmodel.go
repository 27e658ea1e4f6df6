package bedrocktest

import (
	"fmt"
	"slices"
	"strings"
)

// checkModel applies the rules of the model's maker. Those without another source are recorded in the tests of
// github.com/pydantic/pydantic-ai (tests/models/cassettes, August 2026).
func checkModel(in *wireRequest) string {
	m := in.model
	for _, rule := range []struct {
		applies bool
		check   func(*wireRequest) string
	}{
		{m.isClaude(), checkNoVideo},
		{m.isClaude(), checkLocations},
		{m.isNova(), checkNovaVideos},
		{m.isClaude(), checkBlankStops},
		{m.isClaude() || m.maker == "", checkThinking},
		{m.isNova(), checkNovaResults},
		{m.isNova(), checkNovaCache},
		{m.maker == "writer", checkStatus},
		{m.maker == "meta", func(in *wireRequest) string { return checkChoice(in, "any", "tool") }},
		{strings.HasPrefix(m.name, "mistral-large-2402"), func(in *wireRequest) string { return checkChoice(in, "tool") }},
		{m.maker == "deepseek" && strings.HasPrefix(m.name, "r1"), checkNoTools},
		{m.isTitan() || strings.HasPrefix(m.name, "mistral-7b") || strings.HasPrefix(m.name, "mixtral"), checkNoSystem},
	} {
		if rule.applies {
			if msg := rule.check(in); msg != "" {
				return msg
			}
		}
	}
	return ""
}

// checkLocations refuses S3 locations for Claude. The service refuses an image; it passes on a document, which the
// model then refuses, except in a tool result.
func checkLocations(in *wireRequest) string {
	isPlace := func(m *wireMedia) bool { return m != nil && m.Source.S3Location != nil }
	for at, b := range in.blocks() {
		for _, c := range b.media(at) {
			if isPlace(c.Image) {
				return unsupportedFieldMessage("s3Uri")
			}
		}
		if isPlace(b.Document) {
			return modelErrorMessage(at + ".document.source.type: Field required")
		}
	}
	return ""
}

// checkNoVideo refuses videos, which Claude does not support.
func checkNoVideo(in *wireRequest) string {
	if countVideos(in) > 0 {
		return "This model doesn't support the video content block that you provided. Update the content block and try again."
	}
	return ""
}

// checkNovaVideos limits the number of videos. The service's wording is unknown.
// Source: https://docs.aws.amazon.com/nova/latest/userguide/modalities-video.html
func checkNovaVideos(in *wireRequest) string {
	if n := countVideos(in); n > maxNovaVideos {
		message := fmt.Sprintf("the number of videos is %d, and the model takes %d", n, maxNovaVideos)
		return modelErrorMessage(malformedMessage(message))
	}
	return ""
}

func countVideos(in *wireRequest) (n int) {
	for at, b := range in.blocks() {
		for _, c := range b.media(at) {
			if c.Video != nil {
				n++
			}
		}
	}
	return n
}

// checkBlankStops refuses stop sequences of white space, which the service accepts but Claude does not.
// Source: https://github.com/BerriAI/litellm/issues/3286
func checkBlankStops(in *wireRequest) string {
	if c := in.InferenceConfig; c != nil && slices.ContainsFunc(c.StopSequences, isBlank) {
		return modelErrorMessage("stop_sequences: each stop sequence must contain non-whitespace")
	}
	return ""
}

// checkNovaResults refuses results other than text, JSON and images. Images may be in S3.
func checkNovaResults(in *wireRequest) string {
	for at, b := range in.blocks() {
		for _, c := range b.media(at) {
			if b.ToolResult != nil && (c.Document != nil || c.Video != nil) {
				return extraneousMessage(at, "toolResult")
			}
		}
	}
	return ""
}

// checkNovaCache refuses cache points after tools and beside results, which Nova's prompt cache does not support.
// Source: https://github.com/NousResearch/hermes-agent/issues/97281,
// https://github.com/zeroclaw-labs/zeroclaw/issues/8720
func checkNovaCache(in *wireRequest) string {
	for i, m := range in.Messages {
		if !m.hasResults() {
			continue
		}
		for j, b := range m.Content {
			if b.CachePoint != nil {
				return extraneousMessage(blockPath(i, j), "cachePoint")
			}
		}
	}
	if in.ToolConfig != nil {
		for i, t := range in.ToolConfig.Tools {
			if t.CachePoint != nil {
				return extraneousMessage(fmt.Sprintf("toolConfig.tools.%d", i), "cachePoint")
			}
		}
	}
	return ""
}

// checkStatus refuses the status of a result, which Writer's models do not support.
// Source: https://github.com/strands-agents/harness-sdk/pull/686
func checkStatus(in *wireRequest) string {
	for _, b := range in.blocks() {
		if b.ToolResult != nil && b.ToolResult.Status != "" {
			return unsupportedFieldMessage("status")
		}
	}
	return ""
}

// checkChoice refuses some ways to force a tool.
// Source: https://github.com/strands-agents/sdk-python/issues/1241
func checkChoice(in *wireRequest, refused ...string) string {
	if in.ToolConfig == nil || in.ToolConfig.ToolChoice == nil {
		return ""
	}
	c := in.ToolConfig.ToolChoice
	for _, name := range refused {
		if name == "any" && c.Any != nil || name == "tool" && c.Tool != nil {
			return unsupportedFieldMessage("toolConfig.toolChoice." + name)
		}
	}
	return ""
}

// checkNoTools refuses tools for models that cannot call them.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-supported-models-features.html
func checkNoTools(in *wireRequest) string {
	if in.ToolConfig != nil {
		return "This model doesn't support tool use."
	}
	return ""
}

// checkNoSystem has the same source as checkNoTools.
func checkNoSystem(in *wireRequest) string {
	if len(in.System) > 0 {
		return "This model doesn't support system messages. Try again without a system message or use a model that " +
			"supports system messages."
	}
	return ""
}
