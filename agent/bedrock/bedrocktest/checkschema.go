package bedrocktest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// maxStrictTools: https://platform.claude.com/docs/en/build-with-claude/structured-outputs
const maxStrictTools = 20

// checkOutput checks structured output. The form is from the API reference; nine models of seven makers answered such
// requests in recordings. Models that do not support it are not recognised by their id.
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_OutputConfig.html
func checkOutput(in *wireRequest) string {
	if in.OutputConfig == nil || in.OutputConfig.TextFormat == nil {
		return ""
	}
	f := in.OutputConfig.TextFormat
	var schema json.RawMessage
	if s := f.Structure.JSONSchema; s != nil {
		schema = json.RawMessage(strings.TrimSpace(s.Schema))
	}
	switch {
	case f.Type != "json_schema":
		return checkEnum(f.Type, "outputConfig.textFormat.type", "json_schema")
	case f.Structure.JSONSchema == nil:
		return oneKeyMessage("OutputFormatStructure", "outputConfig.textFormat.structure", "jsonSchema")
	case !json.Valid(schema) || !isObject(schema):
		return objectMessage("outputConfig.textFormat.structure.jsonSchema.schema")
	}
	if msg := checkGrammar(schema); msg != "" {
		return modelErrorMessage("output_config.format.schema: " + msg)
	}
	return ""
}

// checkGrammar returns the reason why the service cannot compile a schema of structured output or of a strict tool. The
// rules and the words are Claude's, from reports of July and August 2026; that the lengths and patterns of strings are
// accepted is from pydantic-ai's recordings. Recursive schemas, which the service answers with an internal error, are
// not detected.
func checkGrammar(raw json.RawMessage) string {
	var s map[string]json.RawMessage
	if json.Unmarshal(raw, &s) != nil {
		return "" // true and false
	}
	types := schemaTypes(s["type"])
	for _, t := range types {
		if msg := checkKeywords(t, s); msg != "" {
			return msg
		}
	}
	within := []json.RawMessage{s["items"]}
	for _, key := range []string{"properties", "$defs", "definitions"} {
		var named map[string]json.RawMessage
		_ = json.Unmarshal(s[key], &named) // other values do not hold schemas
		for _, name := range slices.Sorted(maps.Keys(named)) {
			within = append(within, named[name])
		}
	}
	for _, key := range []string{"anyOf", "allOf"} {
		var list []json.RawMessage
		_ = json.Unmarshal(s[key], &list)
		within = append(within, list...)
	}
	for _, w := range within {
		if msg := checkGrammar(w); msg != "" {
			return msg
		}
	}
	return ""
}

func schemaTypes(raw json.RawMessage) []string {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		return []string{one}
	}
	var list []string
	_ = json.Unmarshal(raw, &list)
	return list
}

func checkKeywords(kind string, s map[string]json.RawMessage) string {
	var bad []string
	has := func(keys ...string) {
		for _, k := range keys {
			if _, ok := s[k]; ok {
				bad = append(bad, k)
			}
		}
	}
	switch kind {
	case "number", "integer":
		has("exclusiveMaximum", "exclusiveMinimum", "maximum", "minimum", "multipleOf")
	case "array":
		has("maxItems", "uniqueItems")
		if n := string(s["minItems"]); n != "" && n != "0" && n != "1" {
			return "For 'array' type, 'minItems' values other than 0 or 1 are not supported"
		}
	case "object":
		if string(s["additionalProperties"]) != "false" {
			return "For 'object' type, 'additionalProperties' must be explicitly set to false"
		}
	}
	switch len(bad) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("For '%s' type, property '%s' is not supported", kind, bad[0])
	}
	return fmt.Sprintf("For '%s' type, properties %s are not supported", kind, strings.Join(bad, ", "))
}
