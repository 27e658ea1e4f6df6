package bedrock

import (
	"bytes"
	"encoding/json"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/tools"
)

// newToolConfig offers the request's tools. If it offers none, but the messages contain calls of earlier turns, the
// service still requires their definitions: they are declared as tools that cannot be called any more.
func (m *Model) newToolConfig(r *agent.Request) (*types.ToolConfiguration, error) {
	choice, err := m.newToolChoice(r)
	if err != nil {
		return nil, err
	}
	specs := r.Tools
	if len(specs) == 0 {
		specs = listRemovedTools(r.Messages)
	}
	if len(specs) == 0 {
		return nil, nil
	}
	c := &types.ToolConfiguration{Tools: make([]types.Tool, 0, len(specs)+1), ToolChoice: choice} // one for a cache point
	strict := 0
	for i := range specs {
		s := &specs[i]
		spec := types.ToolSpecification{Name: &s.Name}
		isStrict := s.Strict && !m.o.NoStrict
		if isStrict {
			if strict++; strict > maxStrict {
				return nil, newInvalidError("more than %d tools are strict", maxStrict)
			}
			spec.Strict = aws.Bool(true)
		}
		schema, err := m.schemas.convert(s.Schema, isStrict)
		if err != nil {
			return nil, newInvalidError("schema of the tool %q: %w", s.Name, err)
		}
		spec.InputSchema = &types.ToolInputSchemaMemberJson{Value: schema}
		if !isBlank(s.Description) {
			spec.Description = &s.Description
		}
		c.Tools = append(c.Tools, &types.ToolMemberToolSpec{Value: spec})
	}
	return c, nil
}

// newToolChoice returns the choice of a tool that must be called, or nil if the model decides, which is the service's
// default. It returns an error if the tool is not offered. Thinking excludes a forced call: the service answers
// "Thinking may not be enabled when tool_choice forces tool use."
func (m *Model) newToolChoice(r *agent.Request) (types.ToolChoice, error) {
	c := r.Choice
	switch {
	case c == agent.Choice{}:
		return nil, nil
	case c.Any && c.Name != "":
		return nil, newInvalidError("the choice is both any tool and the tool %q", c.Name)
	case c.Any && len(r.Tools) == 0:
		return nil, newInvalidError("a tool must be called, but the request does not offer any")
	case !c.Any && !slices.ContainsFunc(r.Tools, func(s tools.Spec) bool { return s.Name == c.Name }):
		return nil, newInvalidError("the tool %q must be called, but is not offered", c.Name)
	case m.o.NoToolChoice || m.thinking.enabled:
		return nil, nil
	case c.Any:
		return &types.ToolChoiceMemberAny{}, nil
	}
	return &types.ToolChoiceMemberTool{Value: types.SpecificToolChoice{Name: &r.Choice.Name}}, nil
}

func listRemovedTools(ms []agent.Message) []tools.Spec {
	var specs []tools.Spec
	seen := make(map[string]bool)
	for _, m := range ms {
		for _, p := range m.Parts {
			if p.Use == nil || seen[p.Use.Name] {
				continue
			}
			seen[p.Use.Name] = true
			specs = append(specs, tools.Spec{
				Name:        p.Use.Name,
				Description: "No longer available: it cannot be called.",
				Schema:      json.RawMessage(`{"type":"object"}`),
			})
		}
	}
	return specs
}

const (
	// maxStrict is how many tools of a request may be strict.
	// Source: https://platform.claude.com/docs/en/build-with-claude/structured-outputs
	maxStrict = 20

	maxSchemas     = 256 // in a cache
	maxSchemaBytes = 16 << 10
)

// schemaCache caches the documents of schemas. A conversation offers the same tools in every turn, and checking them
// again would be half the cost of a request.
type schemaCache struct {
	mu   sync.RWMutex
	docs map[schemaKey]document.Interface
}

type schemaKey struct {
	schema   string
	isStrict bool
}

// convert returns the document of a schema: unchanged, or in the form that the service compiles if it is strict.
func (s *schemaCache) convert(j json.RawMessage, isStrict bool) (document.Interface, error) {
	s.mu.RLock()
	doc := s.docs[schemaKey{string(j), isStrict}]
	s.mu.RUnlock()
	if doc != nil {
		return doc, nil
	}
	if err := checkObject(j); err != nil {
		return nil, err
	}
	schema := bytes.Clone(j) // the cache keeps it, but the caller owns j
	if isStrict {
		var err error
		if schema, err = convertStrict(j); err != nil {
			return nil, err
		}
	}
	doc = rawDocument{json: schema}
	if len(j) <= maxSchemaBytes {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.docs == nil {
			s.docs = make(map[schemaKey]document.Interface)
		}
		if len(s.docs) < maxSchemas {
			s.docs[schemaKey{string(j), isStrict}] = doc
		}
	}
	return doc, nil
}
