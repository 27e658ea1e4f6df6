package tools

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/carrel-go/carrel/internal/strictjson"
)

// The limits of a schema of another origin: its bytes, its values with those behind a $ref, and their depth.
const (
	maxSchemaSize   = 64 << 10
	maxSchemaValues = 1000
	maxSchemaDepth  = 32
)

var errNoType = errors.New("must have one type: it accepts any value, so it accepts any name")

// schemaDocument is the JSON Schema that FromSchema receives.
type schemaDocument json.RawMessage

// parse returns the schema that FromSchema makes of the document.
func (doc schemaDocument) parse(allow []string) (*schema, error) {
	if len(doc) > maxSchemaSize {
		return nil, fmt.Errorf("the schema has %d bytes, must have at most %d", len(doc), maxSchemaSize)
	}
	root, err := strictjson.ParseObject(doc)
	if err != nil {
		return nil, fmt.Errorf("the schema is %w", err)
	}
	p := schemaParser{
		constraints: constraints{patterns: map[string]pattern{}}, allow: allow,
		root: root, nullable: map[*jsonschema.Schema]bool{},
	}
	s, err := p.parse(root, "", 0)
	if err != nil {
		return nil, err
	}
	if s.Type != "object" || p.nullable[s] {
		return nil, errors.New("the root must have the type object")
	}
	out, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	acceptNull(s)
	for n := range p.nullable {
		if n.Type != "" {
			n.Types, n.Type = []string{n.Type, "null"}, ""
		}
	}
	return &schema{doc: out, rules: s, constraints: p.constraints}, nil
}

// schemaParser reads one document.
type schemaParser struct {
	constraints
	allow    []string
	root     strictjson.Value
	values   int
	nullable map[*jsonschema.Schema]bool // values that may be null
}

// parse returns the schema of a value, with the keywords that the checker knows.
func (p *schemaParser) parse(v strictjson.Value, path string, depth int) (*jsonschema.Schema, error) {
	if p.values++; p.values > maxSchemaValues || depth > maxSchemaDepth {
		return nil, fmt.Errorf("%sthe schema is recursive, or has more than %d values or %d levels",
			pathPrefix(path), maxSchemaValues, maxSchemaDepth)
	}
	if v.Type() != strictjson.Object {
		return nil, fmt.Errorf("%s%w", pathPrefix(path), errNoType)
	}
	target, isNullable, err := p.unwrap(v)
	if err != nil {
		return nil, fmt.Errorf("%s%w", pathPrefix(path), err)
	}
	if target != v {
		s, err := p.parse(target, path, depth+1)
		if err != nil {
			return nil, err
		}
		if d := textOf(v, "description"); d != "" {
			s.Description = d
		}
		if isNullable {
			p.nullable[s] = true
		}
		return s, nil
	}
	s := &jsonschema.Schema{Description: textOf(v, "description")}
	if err := p.readType(v, s); err != nil {
		return nil, fmt.Errorf("%s%w", pathPrefix(path), err)
	}
	switch s.Type {
	case "object":
		err = p.readProperties(v, s, path, depth)
	case "array":
		s.Items, err = p.readItems(v, path, depth)
	}
	if err != nil {
		return nil, err
	}
	if err := p.readConstraints(v, s); err != nil {
		return nil, fmt.Errorf("%s%w", pathPrefix(path), err)
	}
	return s, nil
}

func (p *schemaParser) readItems(v strictjson.Value, path string, depth int) (*jsonschema.Schema, error) {
	items, ok := v.Get("items")
	if !ok {
		return nil, fmt.Errorf("%s[]: %w", path, errNoType)
	}
	return p.parse(items, path+"[]", depth+1)
}

// unwrap returns the schema that v stands for by a $ref, by an allOf of one, or by an anyOf or oneOf of one and null.
// Otherwise it returns v.
func (p *schemaParser) unwrap(v strictjson.Value) (target strictjson.Value, isNullable bool, err error) {
	if ref, ok := v.Get("$ref"); ok {
		target, err := p.resolve(ref.Text())
		return target, false, err
	}
	if _, ok := v.Get("type"); ok {
		return v, false, nil
	}
	for _, keyword := range []string{"allOf", "anyOf", "oneOf"} {
		all, ok := v.Get(keyword)
		if !ok {
			continue
		}
		var others []strictjson.Value
		for item := range all.Items() {
			if textOf(item, "type") != "null" {
				others = append(others, item)
			}
		}
		if len(others) != 1 || keyword == "allOf" && all.Len() != 1 {
			return v, false, errNoType
		}
		return others[0], all.Len() > 1, nil
	}
	return v, false, nil
}

// resolve returns the definition that a $ref names.
func (p *schemaParser) resolve(ref string) (strictjson.Value, error) {
	for _, place := range []string{"$defs", "definitions"} {
		name, ok := strings.CutPrefix(ref, "#/"+place+"/")
		if !ok {
			continue
		}
		if defs, ok := p.root.Get(place); ok {
			if def, ok := defs.Get(name); ok {
				return def, nil
			}
		}
	}
	return strictjson.Value{}, fmt.Errorf("the $ref %.80q does not name one of the schema's $defs", ref)
}

// readType reads the one type of a value, which may be null too. A constant and an enum imply it.
func (p *schemaParser) readType(v strictjson.Value, s *jsonschema.Schema) error {
	kind, ok := v.Get("type")
	switch {
	case ok && kind.Type() == strictjson.String:
		s.Type = kind.Text()
	case ok:
		for t := range kind.Items() {
			if name := t.Text(); name == "null" {
				p.nullable[s] = true
			} else if s.Type == "" {
				s.Type = name
			} else {
				return errNoType
			}
		}
	default:
		for _, c := range listConstants(v) {
			if t := string(c.Type()); t != "null" && s.Type == "" {
				s.Type = t
			}
		}
	}
	if !slices.Contains([]string{"object", "array", "string", "number", "integer", "boolean"}, s.Type) {
		return errNoType
	}
	return nil
}

func listConstants(v strictjson.Value) []strictjson.Value {
	if c, ok := v.Get("const"); ok {
		return []strictjson.Value{c}
	}
	if enum, ok := v.Get("enum"); ok {
		return slices.Collect(enum.Items())
	}
	return nil
}

// readProperties reads the properties of an object, which becomes closed.
func (p *schemaParser) readProperties(v strictjson.Value, s *jsonschema.Schema, path string, depth int) error {
	const isOpen = "is an open map, which accepts any name"
	more, given := v.Get("additionalProperties")
	if given && string(more.Raw()) != "false" {
		return fmt.Errorf("%sit %s", pathPrefix(path), isOpen)
	}
	if _, ok := v.Get("patternProperties"); ok {
		return fmt.Errorf("%sit %s", pathPrefix(path), isOpen)
	}
	properties, ok := v.Get("properties")
	if !ok && !given && path != "" { // the root of a tool without arguments may omit both
		return fmt.Errorf("%sit %s", pathPrefix(path), isOpen)
	}
	s.AdditionalProperties = &jsonschema.Schema{Not: &jsonschema.Schema{}} // false
	s.Properties = map[string]*jsonschema.Schema{}
	if !ok {
		return nil
	}
	for name, value := range properties.Members() {
		here := joinPath(path, name)
		if err := checkName(name, p.allow); err != nil {
			return fmt.Errorf("%.100s: %w", here, err)
		}
		property, err := p.parse(value, here, depth+1)
		if err != nil {
			return err
		}
		s.Properties[name] = property
		s.PropertyOrder = append(s.PropertyOrder, name)
	}
	required, ok := v.Get("required")
	if !ok {
		return nil
	}
	for name := range required.Items() {
		if s.Properties[name.Text()] == nil {
			return fmt.Errorf("%s%.80q is required, but is not a property", pathPrefix(path), name.Text())
		}
		s.Required = append(s.Required, name.Text())
	}
	return nil
}

// readConstraints reads the constraints that the checker knows. It leaves out those that it cannot check.
func (p *schemaParser) readConstraints(v strictjson.Value, s *jsonschema.Schema) error {
	for _, c := range listConstants(v) {
		if err := p.readConstant(c, s); err != nil {
			return err
		}
	}
	if s.Type == "number" || s.Type == "integer" {
		for keyword, into := range map[string]**float64{"minimum": &s.Minimum, "maximum": &s.Maximum} {
			if n, ok := v.Get(keyword); ok {
				f, err := strconv.ParseFloat(string(n.Raw()), 64)
				if err != nil {
					return fmt.Errorf("invalid %s %.40s", keyword, n.Raw())
				}
				*into = &f
			}
		}
	}
	for keyword, into := range map[string]**int{
		"minLength": &s.MinLength, "maxLength": &s.MaxLength, "minItems": &s.MinItems, "maxItems": &s.MaxItems,
	} {
		if n, ok := v.Get(keyword); ok {
			i, err := parseCount(string(n.Raw()))
			if err != nil {
				return fmt.Errorf("invalid %s %.40s", keyword, n.Raw())
			}
			*into = i
		}
	}
	if s.Type == "string" {
		if expr := textOf(v, "pattern"); expr != "" && p.addPattern(expr) == nil {
			s.Pattern = expr
		}
		if f := textOf(v, "format"); formats[f].isValid != nil {
			s.Format = f
		}
	}
	return nil
}

func (p *schemaParser) readConstant(c strictjson.Value, s *jsonschema.Schema) error {
	isNumber := s.Type == "number" || s.Type == "integer"
	switch {
	case c.Type() == strictjson.Null:
		p.nullable[s] = true
	case s.Type == "string" && c.Type() == strictjson.String:
		s.Enum = append(s.Enum, c.Text())
	case isNumber && c.Type() == strictjson.Number:
		f, err := strconv.ParseFloat(string(c.Raw()), 64)
		if err != nil {
			return fmt.Errorf("invalid number %.40s", c.Raw())
		}
		s.Enum = append(s.Enum, f)
	case s.Type == "string" || isNumber:
		return fmt.Errorf("the values of an enum must be of the type %s", s.Type)
	}
	return nil
}

func textOf(v strictjson.Value, name string) string {
	if m, ok := v.Get(name); ok {
		return m.Text()
	}
	return ""
}
