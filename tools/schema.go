package tools

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/carrel-go/carrel/internal/strictjson"
)

// schema is the schema of a tool's arguments in two forms: the document for the model, and the rules for the checker.
// The rules accept null for an optional property. The document does not mention it, because some models behind Bedrock
// do not accept a list of types.
type schema struct {
	doc   json.RawMessage
	rules *jsonschema.Schema
	constraints
}

// constraints holds the parts of the rules that a JSON Schema cannot express.
type constraints struct {
	patterns map[string]pattern                  // every pattern, compiled
	types    map[*jsonschema.Schema]reflect.Type // Go types of numbers, and of strings with UnmarshalText
}

// newSchema infers the schema of t, which must be a struct.
func newSchema(t reflect.Type, allow []string) (*schema, error) {
	if t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("%v is not a struct", t)
	}
	root, err := jsonschema.ForType(t, &jsonschema.ForOptions{TypeSchemas: map[reflect.Type]*jsonschema.Schema{
		reflect.TypeFor[json.Number](): {Type: "number"}, // a string by its Go kind
	}})
	if err != nil {
		return nil, err
	}
	b := schemaBuilder{constraints{map[string]pattern{}, map[*jsonschema.Schema]reflect.Type{}}, allow}
	if err := b.build(t, root, ""); err != nil {
		return nil, err
	}
	if root.Type != "object" {
		return nil, fmt.Errorf("%v is not an object in JSON", t)
	}
	doc, err := json.Marshal(root)
	if err != nil {
		return nil, err
	}
	acceptNull(root)
	return &schema{doc: doc, rules: root, constraints: b.constraints}, nil
}

// acceptNull makes the rules accept null for every optional property.
func acceptNull(s *jsonschema.Schema) {
	if s.Items != nil {
		acceptNull(s.Items)
	}
	for name, p := range s.Properties {
		acceptNull(p)
		if !slices.Contains(s.Required, name) {
			p.Types, p.Type = []string{p.Type, "null"}, ""
		}
	}
}

// validate checks raw arguments and returns them with integers in plain digits, as Go types decode them. Its errors are
// corrections.
func (s *schema) validate(raw json.RawMessage) (json.RawMessage, error) {
	v, err := strictjson.Parse(raw)
	if err != nil {
		return nil, newArgumentError("the arguments are " + err.Error())
	}
	c := checker{constraints: &s.constraints}
	if c.checkValue(s.rules, v); len(c.found) > 0 {
		return nil, newArgumentError("the arguments do not fit: " + c.message())
	}
	return applyRewrites(raw, c.rewrites), nil
}

func joinPath(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// pathPrefix returns the beginning of a message about path, which is empty for the root.
func pathPrefix(path string) string {
	if path == "" {
		return ""
	}
	return path + ": "
}
