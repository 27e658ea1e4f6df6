package bedrocktest

import (
	"encoding/json"
	"fmt"
)

func checkTools(in *wireRequest) string {
	if in.ToolConfig == nil {
		return ""
	}
	names := make(map[string]bool)
	strict, system := 0, 0
	for i, t := range in.ToolConfig.Tools {
		at := fmt.Sprintf("toolConfig.tools.%d", i)
		msg := checkUnion("Tool", at, t)
		switch {
		case msg != "":
		case t.SystemTool != nil:
			system++
			msg = checkPattern(t.SystemTool.Name, at+".systemTool.name", toolName)
		case t.ToolSpec != nil:
			msg = checkTool(t.ToolSpec, at+".toolSpec", names)
			if msg != "" || !t.ToolSpec.Strict {
				break
			}
			strict++
			if msg = checkGrammar(t.ToolSpec.InputSchema.JSON); msg != "" {
				msg = modelErrorMessage(fmt.Sprintf("tools.%d.custom: %s", i, msg))
			}
		}
		if msg != "" {
			return msg
		}
	}
	if strict > maxStrictTools {
		const tooMany = "Too many strict tools (%d). The maximum number of strict tools supported is %d."
		return modelErrorMessage(fmt.Sprintf(tooMany, strict, maxStrictTools))
	}
	if len(names)+system == 0 {
		return constraintMessage("[]", "toolConfig.tools", notEmpty)
	}
	return checkToolChoice(in.ToolConfig.ToolChoice, names)
}

func checkToolChoice(c *wireToolChoice, names map[string]bool) string {
	const at = "toolConfig.toolChoice"
	if c == nil {
		return ""
	}
	if msg := checkUnion("ToolChoice", at, *c); msg != "" || c.Tool == nil {
		return msg
	}
	msg := checkPattern(c.Tool.Name, at+".tool.name", toolName)
	if msg == "" && !names[c.Tool.Name] {
		const format = "The tool %s at %s.tool.name is not defined in toolConfig.tools. Define the tool and try again."
		msg = fmt.Sprintf(format, c.Tool.Name, at)
	}
	return msg
}

func checkTool(s *wireToolSpec, at string, names map[string]bool) string {
	if msg := checkPattern(s.Name, at+".name", toolName); msg != "" {
		return msg
	}
	switch {
	case names[s.Name]:
		return fmt.Sprintf("The tool %s is already defined at %s. Provide a unique name and try again.", s.Name, at)
	case s.Description != nil && *s.Description == "":
		return constraintMessage("", at+".description", notEmpty)
	case s.InputSchema == nil || !isObject(s.InputSchema.JSON):
		return objectMessage(at + ".inputSchema.json")
	}
	names[s.Name] = true
	var schema struct{ Type any }
	if err := json.Unmarshal(s.InputSchema.JSON, &schema); err != nil || schema.Type != "object" {
		return fmt.Sprintf("The value at %s.inputSchema.json.type must be one of the following: object.", at)
	}
	return ""
}
