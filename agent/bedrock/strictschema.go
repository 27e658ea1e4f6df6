package bedrock

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
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
	c := schemaConverter{}
	root, err := parseMembers(schema)
	if err != nil {
		return nil, err
	}
	if t := root.get("type"); string(t) != `"object"` {
		return nil, fmt.Errorf("invalid type %s: must be object", t)
	}
	for _, key := range []string{"$defs", "definitions"} {
		if defs := root.get(key); defs != nil {
			if c.defs, err = parseMembers(defs); err != nil {
				return nil, fmt.Errorf("%s: %w", key, err)
			}
			c.prefix = "#/" + key + "/"
		}
	}
	return c.convertSchema(schema, "")
}

// schemaConverter converts one schema.
type schemaConverter struct {
	defs   orderedObject
	prefix string   // of a reference to one of defs
	within []string // the names of the definitions around
}

func (c *schemaConverter) convertSchema(raw json.RawMessage, path string) (json.RawMessage, error) {
	in, err := parseMembers(raw)
	if err != nil {
		return nil, fmt.Errorf("%s%w", pathPrefix(path), err)
	}
	if err := c.convertReference(in, path); err != nil {
		return nil, err
	}
	kinds := schemaTypes(in.get("type"))
	var out orderedObject
	var notes []string
	for _, m := range in {
		if m.isUnsupported(kinds) {
			notes = append(notes, m.key+"="+string(m.value))
			continue
		}
		if m.value, err = c.convertMember(m, path); err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	if slices.Contains(kinds, "object") {
		switch open := in.get("additionalProperties"); string(open) {
		case "":
			out = append(out, member{"additionalProperties", json.RawMessage("false")})
		case "false":
		default:
			return nil, fmt.Errorf("%sinvalid additionalProperties %s: must be false", pathPrefix(path), open)
		}
	}
	if notes != nil {
		out = out.addDescription(strings.Join(notes, ", "))
	}
	return out.encode(), nil
}

// schemaTypes reads the keyword type, which is a name or a list of names.
func schemaTypes(raw json.RawMessage) []string {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		return []string{one}
	}
	var list []string
	_ = json.Unmarshal(raw, &list) // the service rejects everything else
	return list
}

func (m member) isUnsupported(kinds []string) bool {
	if n := string(m.value); m.key == "minItems" && (n == "0" || n == "1") {
		return false
	}
	return slices.ContainsFunc(kinds, func(kind string) bool { return slices.Contains(unsupportedKeywords[kind], m.key) })
}

// convertMember converts the schemas within one keyword.
func (c *schemaConverter) convertMember(m member, path string) (json.RawMessage, error) {
	switch m.key {
	case "properties", "$defs", "definitions":
		within, err := parseMembers(m.value)
		if err != nil {
			return nil, fmt.Errorf("%s%s: %w", pathPrefix(path), m.key, err)
		}
		for i, p := range within {
			if within[i].value, err = c.convertSchema(p.value, path+"."+p.key); err != nil {
				return nil, err
			}
		}
		return within.encode(), nil
	case "items":
		return c.convertSchema(m.value, path+"[]")
	case "anyOf", "allOf":
		var all []json.RawMessage
		if err := json.Unmarshal(m.value, &all); err != nil {
			return nil, fmt.Errorf("%s%s: %w", pathPrefix(path), m.key, err)
		}
		for i := range all {
			var err error
			if all[i], err = c.convertSchema(all[i], path); err != nil {
				return nil, err
			}
		}
		return slices.Concat([]byte("["), bytes.Join(toBytes(all), []byte(",")), []byte("]")), nil
	}
	return m.value, nil
}

// convertReference rejects a reference out of the schema, and a recursive one.
func (c *schemaConverter) convertReference(in orderedObject, path string) error {
	raw := in.get("$ref")
	if raw == nil {
		return nil
	}
	var ref string
	if err := json.Unmarshal(raw, &ref); err != nil {
		return fmt.Errorf("%s$ref: %w", pathPrefix(path), err)
	}
	name, ok := strings.CutPrefix(ref, c.prefix)
	def := c.defs.get(name)
	switch {
	case c.prefix == "" || !ok || def == nil:
		return fmt.Errorf("%sinvalid reference %q: must name a definition of the schema", pathPrefix(path), ref)
	case slices.Contains(c.within, name):
		return fmt.Errorf("%sthe definition %q is recursive", pathPrefix(path), name)
	}
	c.within = append(c.within, name)
	defer func() { c.within = c.within[:len(c.within)-1] }()
	_, err := c.convertSchema(def, path)
	return err
}

func toBytes(raw []json.RawMessage) [][]byte {
	out := make([][]byte, len(raw))
	for i, r := range raw {
		out[i] = r
	}
	return out
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

func parseMembers(raw json.RawMessage) (orderedObject, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.Join(errNoObject, err)
	}
	out := orderedObject{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		m := member{key: key.(string)}
		if err := d.Decode(&m.value); err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

func (o orderedObject) get(key string) json.RawMessage {
	for _, m := range o {
		if m.key == key {
			return m.value
		}
	}
	return nil
}

// addDescription adds a note to the description.
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

// quoteString returns s as JSON.
func quoteString(s string) json.RawMessage {
	b, _ := json.Marshal(s) // a string cannot fail
	return b
}
