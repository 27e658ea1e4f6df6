package agent

import (
	"slices"
	"strings"

	"github.com/carrel-go/carrel/tools"
)

// toolset holds the tools that the model may call in one turn: the agent's, and the tool that accepts the typed answer.
type toolset struct {
	tools.Resolved
	out *typedOutput // may be nil
}

// isOutput reports whether the tool of that name accepts the typed answer.
func (s toolset) isOutput(name string) bool { return s.out != nil && name == s.out.name }

func (s toolset) lookupTool(name string) (*tools.Tool, bool) {
	if s.isOutput(name) {
		return s.out.tool, true
	}
	return s.Lookup(name)
}

// listSpecs returns the specs ordered by name.
func (s toolset) listSpecs() []tools.Spec {
	specs := slices.Collect(s.Specs())
	if s.out == nil {
		return specs
	}
	spec := s.out.tool.Spec()
	i, _ := slices.BinarySearchFunc(specs, spec, func(a, b tools.Spec) int { return strings.Compare(a.Name, b.Name) })
	return slices.Insert(specs, i, spec)
}

// String lists the tools for the model.
func (s toolset) String() string {
	specs := s.listSpecs()
	if len(specs) == 0 {
		return "No tools are offered."
	}
	names := make([]string, len(specs))
	for i, spec := range specs {
		names[i] = spec.Name
	}
	return "The tools are: " + strings.Join(names, ", ") + "."
}
