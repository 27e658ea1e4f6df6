package bedrocktest

import (
	"cmp"
	"fmt"
	"slices"
)

// checkContent checks each block by itself.
func checkContent(in *wireRequest) string {
	if len(in.Messages) == 0 {
		return "The messages field is empty. Add a message to the messages field and try again."
	}
	for i, m := range in.Messages {
		at := fmt.Sprintf("messages.%d", i)
		if msg := checkEnum(m.Role, at+".role", "user", "assistant"); msg != "" {
			return msg
		}
		if len(m.Content) == 0 {
			return emptyContentMessage("Message", at, "ContentBlock")
		}
		// A blank text is refused, but beside a document only an empty text is.
		// Source: recorded for Claude in the tests of github.com/pydantic/pydantic-ai.
		hasDocument := slices.ContainsFunc(m.Content, func(b wireBlock) bool { return b.Document != nil })
		for j, b := range m.Content {
			if b.Text != nil && *b.Text != "" && hasDocument {
				continue
			}
			if msg := checkBlock(in, m.Role, b, blockPath(i, j)); msg != "" {
				return msg
			}
		}
	}
	return ""
}

func checkBlock(in *wireRequest, role string, b wireBlock, at string) string {
	if msg := checkUnion("ContentBlock", at, b); msg != "" {
		return msg
	}
	switch {
	case b.Text != nil:
		return checkBlank(*b.Text, "ContentBlock", at)
	case b.Image != nil && role != "user":
		return misplacedMessage("image", at, role)
	case b.Document != nil && role != "user":
		return misplacedMessage("document", at, role)
	case b.Video != nil && role != "user":
		return misplacedMessage("video", at, role)
	case b.Guard != nil:
		return checkGuardContent(b.Guard, at)
	case b.Citations != nil:
		return checkCitations(b.Citations, role, at+".citationsContent")
	case b.Reasoning != nil:
		return checkReasoning(b.Reasoning, role, at+".reasoningContent")
	case (b.ToolUse != nil || b.ToolResult != nil) && in.ToolConfig == nil:
		return "The toolConfig field must be defined when using toolUse and toolResult content blocks."
	case b.ToolUse != nil:
		return checkToolUse(b.ToolUse, role, at+".toolUse")
	case b.ToolResult != nil:
		return checkToolResult(b.ToolResult, role, at+".toolResult")
	}
	return ""
}

// checkReasoning requires a text, which may be empty, and a non-empty signature.
func checkReasoning(r *wireReasoning, role, at string) string {
	if role != "assistant" {
		return misplacedMessage("reasoningContent", at, role)
	}
	if msg := checkUnion("ReasoningContentBlock", at, *r); msg != "" {
		return msg
	}
	if len(r.RedactedContent) == 0 && r.RedactedContent != nil {
		return constraintMessage("", at+".redactedContent", notEmpty)
	}
	t := r.ReasoningText
	at += ".reasoningText."
	switch {
	case t == nil:
		return ""
	case t.Text == nil:
		return constraintMessage("null", at+"text", "Member must not be null")
	case t.Signature == nil:
		return at + "signature: Field required"
	case *t.Signature == "":
		return at + "signature: Invalid `signature` in `thinking` block"
	}
	return ""
}

// serverToolUse is the type of a call that the service runs itself.
const serverToolUse = "server_tool_use"

// isServerResult reports whether r is the result of a tool that the service ran. It belongs to the assistant.
func isServerResult(r *wireToolResult) bool { return r.Type != "" }

func checkToolUse(use *wireToolUse, role, at string) string {
	if msg := checkEnum(cmp.Or(use.Type, serverToolUse), at+".type", serverToolUse); msg != "" {
		return msg
	}
	if role != "assistant" {
		return misplacedMessage("toolUse", at, role)
	}
	msg := cmp.Or(checkPattern(use.ToolUseID, at+".toolUseId", callID), checkPattern(use.Name, at+".name", toolName))
	if msg == "" && !isObject(use.Input) {
		msg = objectMessage(at + ".input")
	}
	return msg
}

func checkToolResult(res *wireToolResult, role, at string) string {
	if (role != "user") != isServerResult(res) {
		return misplacedMessage("toolResult", at, role)
	}
	msg := cmp.Or(
		checkPattern(res.ToolUseID, at+".toolUseId", callID),
		checkEnum(cmp.Or(res.Status, "success"), at+".status", "success", "error"),
	)
	if msg == "" && len(res.Content) == 0 {
		msg = emptyContentMessage("ToolResultBlock", at, "ToolResultContentBlock")
	}
	for k, c := range res.Content {
		at := fmt.Sprintf("%s.content.%d", at, k)
		msg = cmp.Or(msg, checkUnion("ToolResultContentBlock", at, c))
		switch {
		case msg != "":
			return msg
		case c.Text != nil:
			msg = checkBlank(*c.Text, "ToolResultContentBlock", at)
		case c.JSON != nil && !isObject(c.JSON):
			msg = objectMessage(at + ".json")
		}
	}
	return msg
}
