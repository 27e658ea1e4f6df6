package bedrocktest

import (
	"fmt"
	"slices"
)

// checkContent checks each block by itself.
func checkContent(in *wireRequest) string {
	if len(in.Messages) == 0 {
		return "The messages field is empty. Add a message to the messages field and try again."
	}
	for i, m := range in.Messages {
		if m.Role != "user" && m.Role != "assistant" {
			return enumMessage(m.Role, fmt.Sprintf("messages.%d.role", i), "user, assistant")
		}
		if len(m.Content) == 0 {
			return fmt.Sprintf("The content field in the Message object at messages.%d is empty. Add a ContentBlock object to the content field and try again.", i)
		}
		// A blank text is refused, but beside a document only an empty text is.
		// Source: recorded for Claude in the tests of github.com/pydantic/pydantic-ai.
		beside := slices.ContainsFunc(m.Content, func(b wireBlock) bool { return b.Document != nil })
		for j, b := range m.Content {
			if b.Text != nil && *b.Text != "" && beside {
				continue
			}
			if msg := checkBlock(in, m.Role, b, fmt.Sprintf("messages.%d.content.%d", i, j)); msg != "" {
				return msg
			}
		}
	}
	return ""
}

func checkBlock(in *wireRequest, role string, b wireBlock, at string) string {
	set := countTrue(b.Text != nil, b.ToolUse != nil, b.ToolResult != nil, b.Image != nil, b.Document != nil, b.Video != nil, b.Reasoning != nil, b.Citations != nil, b.Guard != nil, b.CachePoint != nil)
	switch {
	case set != 1:
		return oneKeyMessage("ContentBlock", at, "text, image, document, video, toolUse, toolResult, reasoningContent, citationsContent, guardContent, cachePoint")
	case b.Text != nil && isBlank(*b.Text):
		return blankMessage("ContentBlock", at)
	case b.Image != nil && role != "user":
		return misplacedMessage("image", at, role)
	case b.Document != nil && role != "user":
		return misplacedMessage("document", at, role)
	case b.Video != nil && role != "user":
		return misplacedMessage("video", at, role)
	case b.Guard != nil:
		return checkGuardContent(b.Guard, at)
	case b.Citations != nil:
		return checkCitations(b.Citations, role, at)
	case b.Reasoning != nil:
		return checkReasoning(b.Reasoning, role, at)
	case (b.ToolUse != nil || b.ToolResult != nil) && in.ToolConfig == nil:
		return "The toolConfig field must be defined when using toolUse and toolResult content blocks."
	case b.ToolUse != nil:
		return checkToolUse(b.ToolUse, role, at)
	case b.ToolResult != nil:
		return checkToolResult(b.ToolResult, role, at)
	}
	return ""
}

// misplacedMessage is the refusal of a block that belongs to the other role.
func misplacedMessage(kind, at, role string) string {
	if role == "user" {
		return fmt.Sprintf("The %s block at %s is in a user message. Move it to an assistant message and try again.", kind, at)
	}
	return fmt.Sprintf("The %s block at %s is in an assistant message. Move it to a user message and try again.", kind, at)
}

// checkReasoning requires a text, which may be empty, and a non-empty signature.
func checkReasoning(r *wireReasoning, role, at string) string {
	at += ".reasoningContent"
	switch {
	case role != "assistant":
		return misplacedMessage("reasoningContent", at, role)
	case countTrue(r.ReasoningText != nil, r.RedactedContent != nil) != 1:
		return oneKeyMessage("ReasoningContentBlock", at, "reasoningText, redactedContent")
	case r.RedactedContent != nil && len(r.RedactedContent) == 0:
		return constraintMessage("", at+".redactedContent", "Member must have length greater than or equal to 1")
	case r.ReasoningText == nil:
		return ""
	case r.ReasoningText.Text == nil:
		return constraintMessage("null", at+".reasoningText.text", "Member must not be null")
	case r.ReasoningText.Signature == nil:
		return at + ".reasoningText.signature: Field required"
	case *r.ReasoningText.Signature == "":
		return at + ".reasoningText.signature: Invalid `signature` in `thinking` block"
	}
	return ""
}

// serverToolUse is the type of a call that the service runs itself.
const serverToolUse = "server_tool_use"

// isServerResult reports whether r is the result of a tool that the service ran. It belongs to the assistant.
func isServerResult(r *wireToolResult) bool { return r.Type != "" }

func checkToolUse(use *wireToolUse, role, at string) string {
	switch {
	case use.Type != "" && use.Type != serverToolUse:
		return enumMessage(use.Type, at+".toolUse.type", serverToolUse)
	case role != "assistant":
		return misplacedMessage("toolUse", at, role)
	case !isCallID(use.ToolUseID):
		return callIDMessage(use.ToolUseID, at+".toolUse.toolUseId")
	case !isName(use.Name):
		return nameMessage(use.Name, at+".toolUse.name")
	case !isObject(use.Input):
		return objectMessage(at + ".toolUse.input")
	}
	return ""
}

func checkToolResult(res *wireToolResult, role, at string) string {
	switch {
	case (role != "user") != isServerResult(res):
		return misplacedMessage("toolResult", at, role)
	case !isCallID(res.ToolUseID):
		return callIDMessage(res.ToolUseID, at+".toolResult.toolUseId")
	case res.Status != "" && res.Status != "success" && res.Status != "error":
		return enumMessage(res.Status, at+".toolResult.status", "success, error")
	case len(res.Content) == 0:
		return fmt.Sprintf("The content field in the ToolResultBlock object at %s.toolResult is empty. Add a ToolResultContentBlock object to the content field and try again.", at)
	}
	for k, c := range res.Content {
		at := fmt.Sprintf("%s.toolResult.content.%d", at, k)
		switch {
		case countTrue(c.Text != nil, c.JSON != nil, c.Image != nil, c.Document != nil, c.Video != nil) != 1:
			return oneKeyMessage("ToolResultContentBlock", at, "text, json, image, document, video")
		case c.Text != nil && isBlank(*c.Text):
			return blankMessage("ToolResultContentBlock", at)
		case c.JSON != nil && !isObject(c.JSON):
			return objectMessage(at + ".json")
		}
	}
	return ""
}
