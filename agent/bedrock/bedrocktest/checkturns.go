package bedrocktest

import (
	"fmt"
	"slices"
	"strings"
)

// checkTurns checks the order: roles alternate, and the next message answers every call.
func checkTurns(in *wireRequest) string {
	// Claude accepts a conversation that begins with the assistant, as recorded in the tests of
	// github.com/pydantic/pydantic-ai.
	if in.Messages[0].Role != "user" && !in.model.isClaude() {
		return "A conversation must start with a user message. Try again with a conversation that starts with a user message."
	}
	var pending []string // the calls of the previous message
	for i, m := range in.Messages {
		// Titan accepts consecutive messages of the user, as recorded.
		if i > 0 && m.Role == in.Messages[i-1].Role && !(in.model.isTitan() && m.Role == "user") {
			return "A conversation must alternate between user and assistant roles. Make sure the conversation alternates " +
				"between user and assistant roles and try again."
		}
		var uses, results []string
		leading := true
		for _, b := range m.Content {
			switch {
			case b.ToolUse != nil && b.ToolUse.Type != "" || b.ToolResult != nil && isServerResult(b.ToolResult):
				// The service has answered its own call in the same message.
			case b.ToolUse != nil:
				if slices.Contains(uses, b.ToolUse.ToolUseID) {
					return fmt.Sprintf("The toolUse blocks at messages.%d.content contain duplicate Ids: %s", i, b.ToolUse.ToolUseID)
				}
				uses = append(uses, b.ToolUse.ToolUseID)
			case b.ToolResult != nil && leading:
				results = append(results, b.ToolResult.ToolUseID)
			case b.ToolResult != nil:
				return fmt.Sprintf("messages.%d.content: toolResult blocks must come before every other block.", i)
			default:
				leading = false
			}
		}
		if msg := checkPairs(i, pending, results); msg != "" {
			return msg
		}
		pending = uses
	}
	if len(pending) > 0 {
		return missingMessage(len(in.Messages), pending)
	}
	if in.Messages[len(in.Messages)-1].Role != "user" {
		return "This model does not support assistant message prefill. The conversation must end with a user message."
	}
	return ""
}

func checkPairs(i int, calls, results []string) string {
	if len(results) > len(calls) {
		return fmt.Sprintf("The number of toolResult blocks at messages.%d.content exceeds the number of toolUse blocks of "+
			"previous turn.", i)
	}
	var open []string
	for _, id := range calls {
		if !slices.Contains(results, id) {
			open = append(open, id)
		}
	}
	if len(open) > 0 {
		return missingMessage(i, open)
	}
	return ""
}

func missingMessage(i int, ids []string) string {
	list := strings.Join(ids, ", ")
	return fmt.Sprintf("Expected toolResult blocks at messages.%d.content for the following Ids: %s", i, list)
}
