package agent

import (
	"fmt"
	"slices"
	"strings"

	"github.com/carrel-go/carrel/tools"
)

// toolset holds the tools that the model may call in one turn: the agent's, and the tool that accepts the typed answer.
type toolset struct {
	tools.Resolved
	out *typedOutput // may be nil
}

// resolveTools returns the tools of this turn. If the run has been cancelled, it returns the phase that ends it instead.
func (r *run) resolveTools() (toolset, phase, error) {
	if r.ctx.Err() != nil {
		return toolset{}, finished{outcome: OutcomeCancelled}, nil
	}
	set, err := r.agent.tools.Resolve(r.ctx, r.in.Scope, r.state)
	if err == nil && r.out != nil {
		if _, taken := set.Lookup(r.out.name); taken && !r.out.structured {
			err = fmt.Errorf("agent: the tool name %q is reserved for the typed answer", r.out.name)
		}
	}
	switch {
	case err != nil && r.ctx.Err() != nil:
		return toolset{}, finished{outcome: OutcomeCancelled}, nil
	case err != nil:
		return toolset{}, nil, &RunError{Code: CodeInternal, Message: "The tools could not be prepared.", Err: err}
	case r.out == nil || r.out.structured:
		return toolset{Resolved: set}, nil, nil
	}
	return toolset{set, r.out}, nil, nil
}

// isOutput reports whether the tool of that name accepts the typed answer.
func (s toolset) isOutput(name string) bool { return s.out != nil && name == s.out.name }

func (s toolset) lookup(name string) (*tools.Tool, bool) {
	if s.isOutput(name) {
		return s.out.tool, true
	}
	return s.Lookup(name)
}

// specs returns the specs ordered by name.
func (s toolset) specs() []tools.Spec {
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
	specs := s.specs()
	if len(specs) == 0 {
		return "No tools are offered."
	}
	names := make([]string, len(specs))
	for i, spec := range specs {
		names[i] = spec.Name
	}
	return "The tools are: " + strings.Join(names, ", ") + "."
}
