package bedrocktest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// check gives the message of the ValidationException that the service would answer, or "". The words are the
// service's own where they are known from reports.
func check(in *wireRequest) string {
	for _, rule := range [...]func(*wireRequest) string{checkSystem, checkTools, checkContent, checkTurns, checkInference} {
		if msg := rule(in); msg != "" {
			return msg
		}
	}
	return ""
}

func checkSystem(in *wireRequest) string {
	for i, s := range in.System {
		if s.Text == nil || blank(*s.Text) {
			return blankText("SystemContentBlock", fmt.Sprintf("system.%d", i))
		}
	}
	return ""
}

func checkInference(in *wireRequest) string {
	if c := in.InferenceConfig; c != nil && c.MaxTokens != nil && *c.MaxTokens < 1 {
		return constraint(fmt.Sprint(*c.MaxTokens), "inferenceConfig.maxTokens", "Member must have value greater than or equal to 1")
	}
	return ""
}

func checkTools(in *wireRequest) string {
	if in.ToolConfig == nil {
		return ""
	}
	if len(in.ToolConfig.Tools) == 0 {
		return constraint("[]", "toolConfig.tools", "Member must have length greater than or equal to 1")
	}
	names := make(map[string]bool)
	for i, t := range in.ToolConfig.Tools {
		at := fmt.Sprintf("toolConfig.tools.%d.toolSpec", i)
		s := t.ToolSpec
		switch {
		case s == nil:
			return constraint("null", at, "Member must not be null")
		case !isName(s.Name):
			return constraint(s.Name, at+".name", "Member must satisfy regular expression pattern: [a-zA-Z0-9_-]{1,64}")
		case names[s.Name]:
			return fmt.Sprintf("The tool %s is already defined at %s. Provide a unique name and try again.", s.Name, at)
		case s.Description != nil && *s.Description == "":
			return constraint("", at+".description", "Member must have length greater than or equal to 1")
		case s.InputSchema == nil || !isObject(s.InputSchema.JSON):
			return badObject(at + ".inputSchema.json")
		}
		names[s.Name] = true
		var schema struct{ Type any }
		if err := json.Unmarshal(s.InputSchema.JSON, &schema); err != nil || schema.Type != "object" {
			return fmt.Sprintf("The value at %s.inputSchema.json.type must be one of the following: object.", at)
		}
	}
	return ""
}

// checkContent looks at each block alone.
func checkContent(in *wireRequest) string {
	if len(in.Messages) == 0 {
		return "The messages field is empty. Add a message to the messages field and try again."
	}
	for i, m := range in.Messages {
		if m.Role != "user" && m.Role != "assistant" {
			return constraint(m.Role, fmt.Sprintf("messages.%d.role", i), "Member must satisfy enum value set: [user, assistant]")
		}
		if len(m.Content) == 0 {
			return fmt.Sprintf("The content field in the Message object at messages.%d is empty. Add a ContentBlock object to the content field and try again.", i)
		}
		for j, b := range m.Content {
			if msg := checkBlock(in, m.Role, b, fmt.Sprintf("messages.%d.content.%d", i, j)); msg != "" {
				return msg
			}
		}
	}
	return ""
}

func checkBlock(in *wireRequest, role string, b wireBlock, at string) string {
	if n := count(b.Text != nil, b.ToolUse != nil, b.ToolResult != nil); n != 1 {
		return fmt.Sprintf("The ContentBlock object at %s must set one of the following keys: text, toolUse, toolResult.", at)
	}
	if b.Text != nil {
		if blank(*b.Text) {
			return blankText("ContentBlock", at)
		}
		return ""
	}
	if in.ToolConfig == nil {
		return "The toolConfig field must be defined when using toolUse and toolResult content blocks."
	}
	if use := b.ToolUse; use != nil {
		switch {
		case role != "assistant":
			return fmt.Sprintf("The toolUse block at %s is in a user message. Move it to an assistant message and try again.", at)
		case !isName(use.ToolUseID):
			return constraint(use.ToolUseID, at+".toolUse.toolUseId", "Member must satisfy regular expression pattern: [a-zA-Z0-9_-]{1,64}")
		case !isName(use.Name):
			return constraint(use.Name, at+".toolUse.name", "Member must satisfy regular expression pattern: [a-zA-Z0-9_-]{1,64}")
		case !isObject(use.Input):
			return badObject(at + ".toolUse.input")
		}
		return ""
	}
	res := b.ToolResult
	switch {
	case role != "user":
		return fmt.Sprintf("The toolResult block at %s is in an assistant message. Move it to a user message and try again.", at)
	case !isName(res.ToolUseID):
		return constraint(res.ToolUseID, at+".toolResult.toolUseId", "Member must satisfy regular expression pattern: [a-zA-Z0-9_-]{1,64}")
	case res.Status != "" && res.Status != "success" && res.Status != "error":
		return constraint(res.Status, at+".toolResult.status", "Member must satisfy enum value set: [success, error]")
	case len(res.Content) == 0:
		return fmt.Sprintf("The content field in the ToolResultBlock object at %s.toolResult is empty. Add a ToolResultContentBlock object to the content field and try again.", at)
	}
	for k, c := range res.Content {
		at := fmt.Sprintf("%s.toolResult.content.%d", at, k)
		switch {
		case count(c.Text != nil, c.JSON != nil) != 1:
			return fmt.Sprintf("The ToolResultContentBlock object at %s must set one of the following keys: text, json.", at)
		case c.Text != nil && blank(*c.Text):
			return blankText("ToolResultContentBlock", at)
		case c.JSON != nil && !isObject(c.JSON):
			return badObject(at + ".json")
		}
	}
	return ""
}

// checkTurns looks at the order: roles alternate, and every call is answered in the very next message.
func checkTurns(in *wireRequest) string {
	if in.Messages[0].Role != "user" {
		return "A conversation must start with a user message. Try again with a conversation that starts with a user message."
	}
	var pending []string // the calls of the message before
	for i, m := range in.Messages {
		if i > 0 && m.Role == in.Messages[i-1].Role {
			return "A conversation must alternate between user and assistant roles. Make sure the conversation alternates between user and assistant roles and try again."
		}
		var uses, results []string
		leading := true
		for _, b := range m.Content {
			switch {
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
		if msg := pairs(i, pending, results); msg != "" {
			return msg
		}
		pending = uses
	}
	if len(pending) > 0 {
		return missing(len(in.Messages), pending)
	}
	if in.Messages[len(in.Messages)-1].Role != "user" {
		return "This model does not support assistant message prefill. The conversation must end with a user message."
	}
	return ""
}

func pairs(i int, calls, results []string) string {
	if len(results) > len(calls) {
		return fmt.Sprintf("The number of toolResult blocks at messages.%d.content exceeds the number of toolUse blocks of previous turn.", i)
	}
	var open []string
	for _, id := range calls {
		if !slices.Contains(results, id) {
			open = append(open, id)
		}
	}
	if len(open) > 0 {
		return missing(i, open)
	}
	return ""
}

func missing(i int, ids []string) string {
	return fmt.Sprintf("Expected toolResult blocks at messages.%d.content for the following Ids: %s", i, strings.Join(ids, ", "))
}

func blankText(object, at string) string {
	return fmt.Sprintf("The text field in the %s object at %s is blank. Add text to the text field, and try again.", object, at)
}

func badObject(at string) string {
	return fmt.Sprintf("The format of the value at %s is invalid. Provide a json object for the field and try again.", at)
}

func constraint(value, at, rule string) string {
	return fmt.Sprintf("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: %s", value, at, rule)
}

func blank(s string) bool { return strings.TrimSpace(s) == "" }

// isName is the grammar of tool names and of the ids of their calls.
func isName(s string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
	return len(s) >= 1 && len(s) <= 64 && strings.Trim(s, letters) == ""
}

// isObject: j is JSON already, since it was decoded.
func isObject(j json.RawMessage) bool { return len(j) > 0 && j[0] == '{' }

func count(set ...bool) int {
	n := 0
	for _, b := range set {
		if b {
			n++
		}
	}
	return n
}
