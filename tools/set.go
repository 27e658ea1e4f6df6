package tools

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/carrel-go/carrel/scope"
)

// Set is a collection of tools. It is immutable; the zero Set is empty.
type Set struct {
	all Resolved
	err error
}

// Of returns the set of these tools. Two tools of one name, or a nil tool, make a set that [Set.Err] and
// [Set.Resolve] report: the author decides which one is meant, not the order of arguments.
func Of(t ...*Tool) Set {
	s := Set{all: Resolved{tools: make(map[string]*Tool, len(t))}}
	for i, t := range t {
		if t == nil {
			return Set{err: fmt.Errorf("tools: tool %d of the set is nil", i)}
		}
		if was, ok := s.all.tools[t.spec.Name]; ok {
			return Set{err: fmt.Errorf("tools: two tools are named %q: the one that says %q and the one that says %q",
				t.spec.Name, was.spec.Description, t.spec.Description)}
		}
		s.all.tools[t.spec.Name] = t
		s.all.specs = append(s.all.specs, t.spec)
	}
	slices.SortFunc(s.all.specs, func(a, b Spec) int { return strings.Compare(a.Name, b.Name) })
	return s
}

// Err says what is wrong with the set, if anything can be told before a scope is known.
func (s Set) Err() error { return s.err }

// Resolve gives the tools that are offered within sc, for one turn of a conversation with that State. A set that holds tools refuses the zero Scope,
// which denies everything.
func (s Set) Resolve(ctx context.Context, sc scope.Scope, st *State) (Resolved, error) {
	if s.err != nil {
		return Resolved{}, s.err
	}
	if err := ctx.Err(); err != nil {
		return Resolved{}, fmt.Errorf("tools: resolve: %w", err)
	}
	if len(s.all.specs) > 0 && sc.Level() == scope.None {
		return Resolved{}, errors.New("tools: resolve: the zero scope has no tools")
	}
	return s.all, nil
}

// Resolved are the tools that are offered in one turn. It is immutable.
type Resolved struct {
	specs []Spec
	tools map[string]*Tool
}

// Len is how many tools are offered.
func (r Resolved) Len() int { return len(r.specs) }

// Specs are what the model is told, ordered by name: the same set always reads the same, so that prompt caches hold.
func (r Resolved) Specs() iter.Seq[Spec] { return slices.Values(r.specs) }

// Lookup finds an offered tool by its exact name.
func (r Resolved) Lookup(name string) (*Tool, bool) {
	t, ok := r.tools[name]
	return t, ok
}
