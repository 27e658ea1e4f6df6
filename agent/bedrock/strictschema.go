package bedrock

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/carrel-go/carrel/internal/strictjson"
)

// The service compiles the schema of a strict tool, and that of structured output, into a grammar. It supports a subset
// of JSON Schema: it answers with a ValidationException to the keywords below and to an object that may have more
// properties, and with an internal error to a recursive schema. The keywords are moved into descriptions, so that the
// model still reads them. Patterns, formats and the lengths of strings are accepted.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html. In some points that page and the
// service differ; then the service's answers to Claude Sonnet 4.5 hold, as pydantic-ai recorded them in May 2026.
var unsupportedKeywords = map[string][]string{
	"number":  {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"},
	"integer": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"},
	"array":   {"maxItems", "uniqueItems", "minItems"}, // a minItems of 0 or 1 is supported
}

// convertStrict returns a schema in the form that the service compiles. The order of the properties stays, because the
// model writes them in that order.
func convertStrict(schema json.RawMessage) (json.RawMessage, error) {
	root, err := strictjson.ParseObject(schema)
	if err != nil {
		return nil, err
	}
	if t, _ := root.Get("type"); t.Text() != "object" {
		return nil, fmt.Errorf("invalid type %s: must be object", t.Raw())
	}
	c := schemaConverter{}
	for _, key := range []string{"$defs", "definitions"} {
		if defs, ok := root.Get(key); ok {
			c.defs, c.prefix = defs, "#/"+key+"/"
		}
	}
	return c.convertSchema(root, "")
}

type schemaConverter struct {
	defs   strictjson.Value
	prefix string   // of a reference to one of defs
	within []string // the names of the definitions around
}

func (c *schemaConverter) convertSchema(v strictjson.Value, path string) (json.RawMessage, error) {
	if v.Type() != strictjson.Object {
		return nil, fmt.Errorf("%s%w", pathPrefix(path), errNoObject)
	}
	if err := c.checkReference(v, path); err != nil {
		return nil, err
	}
	kinds := schemaTypes(v)
	var out orderedObject
	var notes []string
	for key, value := range v.Members() {
		if isUnsupported(key, value, kinds) {
			notes = append(notes, key+"="+string(value.Raw()))
			continue
		}
		converted, err := c.convertMember(key, value, path)
		if err != nil {
			return nil, err
		}
		out = append(out, member{key, converted})
	}
	if slices.Contains(kinds, "object") {
		switch open, ok := v.Get("additionalProperties"); {
		case !ok:
			out = append(out, member{"additionalProperties", json.RawMessage("false")})
		case string(open.Raw()) != "false":
			return nil, fmt.Errorf("%sinvalid additionalProperties %s: must be false", pathPrefix(path), open.Raw())
		}
	}
	if notes != nil {
		out = out.addDescription(strings.Join(notes, ", "))
	}
	return out.encode(), nil
}

// schemaTypes returns the types of a schema, whose keyword type is a name or a list of names. The service rejects
// everything else.
func schemaTypes(schema strictjson.Value) (kinds []string) {
	t, _ := schema.Get("type")
	if t.Type() == strictjson.String {
		return []string{t.Text()}
	}
	for kind := range t.Items() {
		kinds = append(kinds, kind.Text())
	}
	return kinds
}

func isUnsupported(key string, value strictjson.Value, kinds []string) bool {
	if n := string(value.Raw()); key == "minItems" && (n == "0" || n == "1") {
		return false
	}
	return slices.ContainsFunc(kinds, func(kind string) bool { return slices.Contains(unsupportedKeywords[kind], key) })
}

// convertMember converts the schemas within one keyword.
func (c *schemaConverter) convertMember(key string, value strictjson.Value, path string) (json.RawMessage, error) {
	switch key {
	case "properties", "$defs", "definitions":
		if value.Type() != strictjson.Object {
			return nil, fmt.Errorf("%s%s: %w", pathPrefix(path), key, errNoObject)
		}
		var out orderedObject
		for name, schema := range value.Members() {
			converted, err := c.convertSchema(schema, path+"."+name)
			if err != nil {
				return nil, err
			}
			out = append(out, member{name, converted})
		}
		return out.encode(), nil
	case "items":
		return c.convertSchema(value, path+"[]")
	case "anyOf", "allOf":
		if value.Type() != strictjson.Array {
			return nil, fmt.Errorf("%s%s: not a list", pathPrefix(path), key)
		}
		all := []json.RawMessage{}
		for schema := range value.Items() {
			converted, err := c.convertSchema(schema, path)
			if err != nil {
				return nil, err
			}
			all = append(all, converted)
		}
		return json.Marshal(all)
	}
	return value.Raw(), nil
}

// checkReference rejects a reference out of the schema, and a recursive one.
func (c *schemaConverter) checkReference(schema strictjson.Value, path string) error {
	ref, ok := schema.Get("$ref")
	if !ok {
		return nil
	}
	name, isLocal := strings.CutPrefix(ref.Text(), c.prefix)
	def, isKnown := c.defs.Get(name)
	switch {
	case !isLocal || !isKnown:
		return fmt.Errorf("%sinvalid reference %q: must name a definition of the schema", pathPrefix(path), ref.Text())
	case slices.Contains(c.within, name):
		return fmt.Errorf("%sthe definition %q is recursive", pathPrefix(path), name)
	}
	c.within = append(c.within, name)
	defer func() { c.within = c.within[:len(c.within)-1] }()
	_, err := c.convertSchema(def, path)
	return err
}

// pathPrefix returns the prefix of an error message about a path; it is empty for the root.
func pathPrefix(path string) string {
	if path == "" {
		return ""
	}
	return strings.TrimPrefix(path, ".") + ": "
}

// orderedObject is a JSON object that keeps the order of its members.
type orderedObject []member

type member struct {
	key   string
	value json.RawMessage
}

func (o orderedObject) addDescription(note string) orderedObject {
	for i, m := range o {
		var had string
		if m.key == "description" && json.Unmarshal(m.value, &had) == nil {
			o[i].value = quoteString(had + " (" + note + ")")
			return o
		}
	}
	return append(o, member{"description", quoteString(note)})
}

func (o orderedObject) encode() json.RawMessage {
	out := []byte("{")
	for i, m := range o {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(append(append(out, quoteString(m.key)...), ':'), m.value...)
	}
	return append(out, '}')
}

func quoteString(s string) json.RawMessage {
	b, _ := json.Marshal(s) // a string cannot fail
	return b
}
