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

// schema is the schema of a tool's arguments in its two forms: the document that a model reads, and the rules that
// decide. They differ in one thing: the rules take null for an optional property, the document does not mention it,
// because not every model behind Bedrock takes a list of types.
type schema struct {
	doc   json.RawMessage
	rules *jsonschema.Schema
	constraints
}

// constraints are what the rules of a schema need besides its document.
type constraints struct {
	patterns map[string]pattern                  // every pattern, compiled
	types    map[*jsonschema.Schema]reflect.Type // of numbers, and of strings with UnmarshalText
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
	if err := normalise(root, "", allow); err != nil {
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
	nullOptional(root)
	return &schema{doc: doc, rules: root, constraints: c}, nil
}

// normalise rewrites s in place to what every model behind Bedrock takes (one type a property, pointers optional, an
// object at the root), and refuses what a tool must not have. path is the Go-like path of s, for errors.
//
// With what constrain adds, the keywords of a document are type, properties, required, additionalProperties (false),
// items, description, enum, minimum, maximum, minLength, maxLength, minItems, maxItems, pattern and format. Converse
// takes all of them in the schema of a tool that is not marked strict.
func normalise(s *jsonschema.Schema, path string, allow []string) error {
	if s.Types != nil {
		s.Types = slices.DeleteFunc(s.Types, func(t string) bool { return t == "null" })
		if len(s.Types) != 1 {
			return fmt.Errorf("%shas the types %q, and may have only one", at(path), s.Types)
		}
		s.Type, s.Types = s.Types[0], nil
	}
	switch s.Type {
	case "object":
		if s.AdditionalProperties == nil || s.AdditionalProperties.Not == nil {
			return fmt.Errorf("%sis an open map: it could carry any name", at(path))
		}
		if s.Properties == nil {
			s.Properties = map[string]*jsonschema.Schema{}
		}
		for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
			p := s.Properties[name]
			if err := checkName(name, allow); err != nil {
				return fmt.Errorf("%s%w", at(join(path, name)), err)
			}
			// A slice reads as null or array and stays required; any other null is a pointer's.
			if slices.Contains(p.Types, "null") && !slices.Contains(p.Types, "array") {
				s.Required = slices.DeleteFunc(s.Required, func(r string) bool { return r == name })
			}
			if err := normalise(p, join(path, name), allow); err != nil {
				return err
			}
		}
	case "array":
		return normalise(s.Items, path+"[]", allow)
	case "":
		return fmt.Errorf("%smay be anything, so it is an open map too", at(path))
	}
	return nil
}

// nullOptional lets every optional property of s be null.
func nullOptional(s *jsonschema.Schema) {
	if s.Items != nil {
		nullOptional(s.Items)
	}
	for name, p := range s.Properties {
		nullOptional(p)
		if !slices.Contains(s.Required, name) {
			p.Types, p.Type = []string{p.Type, "null"}, ""
		}
	}
}

// validate checks raw arguments and returns them in the form that decodes: integers in plain digits. Its errors are
// corrections.
func (s *schema) validate(raw json.RawMessage) (json.RawMessage, error) {
	v, err := strictjson.Parse(raw)
	if err != nil {
		return nil, misfit("the arguments are " + err.Error())
	}
	c := checker{constraints: &s.constraints}
	if c.walk(s.rules, v); len(c.found) > 0 {
		return nil, misfit("the arguments do not fit: " + c.message())
	}
	return applyRewrites(raw, c.rewrites), nil
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// at is the beginning of a message about path; the root needs no naming.
func at(path string) string {
	if path == "" {
		return ""
	}
	return path + ": "
}
