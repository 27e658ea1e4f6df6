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
		switch {
		case countTrue(t.ToolSpec != nil, t.SystemTool != nil, t.CachePoint != nil) != 1:
			return oneKeyMessage("Tool", fmt.Sprintf("toolConfig.tools.%d", i), "toolSpec, systemTool, cachePoint")
		case t.SystemTool != nil:
			system++
			if !isName(t.SystemTool.Name) {
				return nameMessage(t.SystemTool.Name, fmt.Sprintf("toolConfig.tools.%d.systemTool.name", i))
			}
		case t.ToolSpec != nil:
			if msg := checkTool(t.ToolSpec, fmt.Sprintf("toolConfig.tools.%d.toolSpec", i), names); msg != "" {
				return msg
			}
			if !t.ToolSpec.Strict {
				continue
			}
			strict++
			if msg := checkGrammar(t.ToolSpec.InputSchema.JSON); msg != "" {
				return modelErrorMessage(fmt.Sprintf("tools.%d.custom: %s", i, msg))
			}
		}
	}
	if strict > maxStrictTools {
		const tooMany = "Too many strict tools (%d). The maximum number of strict tools supported is %d."
		return modelErrorMessage(fmt.Sprintf(tooMany, strict, maxStrictTools))
	}
	if len(names)+system == 0 {
		return constraintMessage("[]", "toolConfig.tools", "Member must have length greater than or equal to 1")
	}
	if c := in.ToolConfig.ToolChoice; c != nil {
		switch {
		case countTrue(c.Auto != nil, c.Any != nil, c.Tool != nil) != 1:
			return oneKeyMessage("ToolChoice", "toolConfig.toolChoice", "auto, any, tool")
		case c.Tool != nil && !isName(c.Tool.Name):
			return nameMessage(c.Tool.Name, "toolConfig.toolChoice.tool.name")
		case c.Tool != nil && !names[c.Tool.Name]:
			return fmt.Sprintf("The tool %s at toolConfig.toolChoice.tool.name is not defined in toolConfig.tools. Define the tool and try again.", c.Tool.Name)
		}
	}
	return ""
}

func checkTool(s *wireToolSpec, at string, names map[string]bool) string {
	switch {
	case !isName(s.Name):
		return nameMessage(s.Name, at+".name")
	case names[s.Name]:
		return fmt.Sprintf("The tool %s is already defined at %s. Provide a unique name and try again.", s.Name, at)
	case s.Description != nil && *s.Description == "":
		return constraintMessage("", at+".description", "Member must have length greater than or equal to 1")
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
