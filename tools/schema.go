package tools

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/carrel-go/carrel/internal/strictjson"
)

// schema is the schema of a tool's arguments in two forms: the document for the model, and the rules for the checker. The
// rules accept null for an optional property. The document does not mention it, because some models behind Bedrock do not
// accept a list of types.
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
	if err := checkType(t, ""); err != nil {
		return nil, err
	}
	if err := normaliseSchema(root, "", allow); err != nil {
		return nil, err
	}
	c := constraints{map[string]pattern{}, map[*jsonschema.Schema]reflect.Type{}}
	if err := c.constrain(t, root, ""); err != nil {
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
	return &schema{doc: doc, rules: root, constraints: c}, nil
}

// normaliseSchema rewrites s in place to a form that all models behind Bedrock accept: one type a property, pointers
// optional, an object at the root. It rejects open maps and reserved names. path is the path of s, for errors.
//
// Together with constrain, it produces the keywords type, properties, required, additionalProperties (false), items,
// description, enum, minimum, maximum, minLength, maxLength, minItems, maxItems, pattern and format. Converse accepts all
// of them in the schema of a tool that is not strict.
func normaliseSchema(s *jsonschema.Schema, path string, allow []string) error {
	if s.Types != nil {
		s.Types = slices.DeleteFunc(s.Types, func(t string) bool { return t == "null" })
		if len(s.Types) != 1 {
			return fmt.Errorf("%shas the types %q, must have one", pathPrefix(path), s.Types)
		}
		s.Type, s.Types = s.Types[0], nil
	}
	switch s.Type {
	case "object":
		if s.AdditionalProperties == nil || s.AdditionalProperties.Not == nil {
			return fmt.Errorf("%sis an open map, which accepts any name", pathPrefix(path))
		}
		if s.Properties == nil {
			s.Properties = map[string]*jsonschema.Schema{}
		}
		for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
			p := s.Properties[name]
			if err := checkName(name, allow); err != nil {
				return fmt.Errorf("%s%w", pathPrefix(joinPath(path, name)), err)
			}
			// A slice has the types null and array, and stays required. Otherwise null means a pointer.
			if slices.Contains(p.Types, "null") && !slices.Contains(p.Types, "array") {
				s.Required = slices.DeleteFunc(s.Required, func(r string) bool { return r == name })
			}
			if err := normaliseSchema(p, joinPath(path, name), allow); err != nil {
				return err
			}
		}
	case "array":
		return normaliseSchema(s.Items, path+"[]", allow)
	case "":
		return fmt.Errorf("%saccepts any value, so it accepts any name", pathPrefix(path))
	}
	return nil
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
