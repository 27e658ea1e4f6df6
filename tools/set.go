package tools

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/carrel-go/carrel/scope"
)

// Set is an immutable collection of tools. It is safe for concurrent use if its functions are. The zero Set is empty.
//
// Sets compose: [Set.With] joins sets, [Set.Prefix] and [Set.Rename] change the names of tools, [Set.Filter] leaves
// tools out, and [Dynamic] chooses tools for each scope. The model and the [Call] see the changed names. Two tools with
// the same name are an error that names both, because the order of arguments must not decide which one is used.
type Set struct {
	all     Resolved // the static tools
	dynamic []source
	err     error
}

// source returns the tools of a dynamic set for one turn.
type source func(ctx context.Context, sc scope.Scope, st *State) ([]*Tool, error)

// Of returns the set of these tools. If two have the same name, or one is nil or was not made by [New], [Set.Err] and
// [Set.Resolve] return an error.
func Of(t ...*Tool) Set {
	if i := slices.IndexFunc(t, func(t *Tool) bool { return t == nil || t.fn == nil }); i >= 0 {
		return Set{err: fmt.Errorf("tools: tool %d of the set is nil, or was not made by New", i)}
	}
	return newSet(t, nil)
}

// Dynamic returns a set whose tools f chooses for each turn, from the scope of the run and the State of the
// conversation. The State is never nil. f may run on many goroutines at once, and does not run for the zero Scope. Its
// Set may be dynamic again, up to 16 levels. If f returns an error or panics, [Set.Resolve] returns an error.
//
// The tools are part of the model's cached prompt, so a set that changes often is expensive.
func Dynamic(f func(ctx context.Context, sc scope.Scope, st *State) (Set, error)) Set {
	if f == nil {
		return Set{err: errors.New("tools: dynamic set: the function is nil")}
	}
	return Set{dynamic: []source{func(ctx context.Context, sc scope.Scope, st *State) ([]*Tool, error) {
		depth, _ := ctx.Value(depthKey{}).(int)
		if depth == maxDepth {
			return nil, fmt.Errorf("tools: dynamic sets are nested more than %d deep", maxDepth)
		}
		ctx = context.WithValue(ctx, depthKey{}, depth+1)
		s, err := f(ctx, sc, st)
		if err != nil {
			return nil, err
		}
		r, err := s.resolveTools(ctx, sc, st)
		return r.tools, err
	}}}
}

// depthKey is the context key of the nesting depth of dynamic sets. Without a limit, a set that contains itself would
// overflow the stack, which recover cannot catch.
type depthKey struct{}

const maxDepth = 16

// With returns the tools of s and of all the others.
func (s Set) With(others ...Set) Set {
	var ts []*Tool
	var dynamic []source
	for _, o := range slices.Concat([]Set{s}, others) {
		if o.err != nil {
			return Set{err: o.err}
		}
		ts = append(ts, o.all.tools...)
		dynamic = append(dynamic, o.dynamic...)
	}
	return newSet(ts, dynamic)
}

// Prefix prepends p to the name of each tool, such as "files_". An invalid name is an error of [Set.Err].
func (s Set) Prefix(p string) Set {
	return s.mapTools(func(ts []*Tool) ([]*Tool, error) {
		return renameTools(ts, func(name string) string { return p + name })
	})
}

// Rename changes the names of tools from the keys of the map to its values, all at once, so that two tools can swap
// names. Other tools keep their names. A key that is not the name of a tool is an error, which [Set.Resolve] returns if
// the set is partly dynamic. Rename copies the map.
func (s Set) Rename(names map[string]string) Set {
	to := maps.Clone(names)
	rename := func(ts []*Tool) ([]*Tool, error) {
		for _, was := range slices.Sorted(maps.Keys(to)) {
			if !slices.ContainsFunc(ts, func(t *Tool) bool { return t.spec.Name == was }) {
				return nil, fmt.Errorf("tools: cannot rename the unknown tool %q to %q", was, to[was])
			}
		}
		return renameTools(ts, func(name string) string {
			if n, ok := to[name]; ok {
				return n
			}
			return name
		})
	}
	if s.dynamic == nil || s.err != nil {
		return s.mapTools(rename)
	}
	// The renamed tool may be dynamic, so rename after all tools are resolved.
	return Set{dynamic: []source{func(ctx context.Context, sc scope.Scope, st *State) ([]*Tool, error) {
		r, err := s.resolveTools(ctx, sc, st)
		if err != nil {
			return nil, err
		}
		return rename(r.tools)
	}}}
}

// Filter returns the tools for which keep returns true. keep runs once for each static tool, and in each turn for each
// dynamic one. It must depend only on the Spec.
func (s Set) Filter(keep func(Spec) bool) Set {
	if keep == nil {
		return Set{err: errors.New("tools: filter: the function is nil")}
	}
	return s.mapTools(func(ts []*Tool) ([]*Tool, error) {
		var out []*Tool
		for _, t := range ts {
			if keep(t.spec) {
				out = append(out, t)
			}
		}
		return out, nil
	})
}

// mapTools applies f to the static tools and, on each turn, to the tools of each source.
func (s Set) mapTools(f func([]*Tool) ([]*Tool, error)) Set {
	if s.err != nil {
		return s
	}
	ts, err := f(s.all.tools)
	if err != nil {
		return Set{err: err}
	}
	var dynamic []source
	for _, d := range s.dynamic {
		dynamic = append(dynamic, func(ctx context.Context, sc scope.Scope, st *State) ([]*Tool, error) {
			ts, err := d(ctx, sc, st)
			if err != nil {
				return nil, err
			}
			return f(ts)
		})
	}
	return newSet(ts, dynamic)
}

func newSet(ts []*Tool, dynamic []source) Set {
	all, err := newResolved(ts)
	if err != nil {
		return Set{err: err}
	}
	return Set{all: all, dynamic: dynamic}
}

// Err returns the error of an invalid set, such as two static tools with the same name.
func (s Set) Err() error { return s.err }

// Resolve returns the tools for one turn under sc, in a conversation with the State st. A nil st means an empty one.
// For the zero Scope it returns [scope.ErrDenied], unless the set is empty. Resolving a static set does not allocate. A
// panic in the function of a dynamic set is returned as an error.
func (s Set) Resolve(ctx context.Context, sc scope.Scope, st *State) (r Resolved, err error) {
	if s.err != nil {
		return Resolved{}, s.err
	}
	if err := ctx.Err(); err != nil {
		return Resolved{}, fmt.Errorf("tools: resolve: %w", err)
	}
	if (len(s.all.tools) > 0 || s.dynamic != nil) && sc.Require() != nil {
		return Resolved{}, fmt.Errorf("tools: resolve: %w", sc.Require())
	}
	if s.dynamic == nil {
		return s.all, nil
	}
	if st == nil {
		st = &State{}
	}
	defer func() {
		if v := recover(); v != nil {
			r, err = Resolved{}, fmt.Errorf("tools: resolve: %w", &PanicError{Value: v, Stack: debug.Stack()})
		}
	}()
	if r, err = s.resolveTools(ctx, sc, st); err != nil {
		return Resolved{}, fmt.Errorf("tools: resolve: %w", err)
	}
	return r, nil
}

func (s Set) resolveTools(ctx context.Context, sc scope.Scope, st *State) (Resolved, error) {
	if s.err != nil || s.dynamic == nil {
		return s.all, s.err
	}
	ts := s.all.tools
	for _, d := range s.dynamic {
		more, err := d(ctx, sc, st)
		if err != nil {
			return Resolved{}, err
		}
		ts = slices.Concat(ts, more)
	}
	return newResolved(ts)
}

// Resolved is the immutable list of the tools that are offered in one turn.
type Resolved struct {
	tools []*Tool // ordered by name
}

// newResolved returns the tools in order of name, or an error if two have the same name. It does not change ts.
func newResolved(ts []*Tool) (Resolved, error) {
	ts = slices.Clone(ts)
	slices.SortStableFunc(ts, compareNames)
	for i := range len(ts) - 1 {
		if ts[i].spec.Name == ts[i+1].spec.Name {
			return Resolved{}, fmt.Errorf("tools: two tools are named %q: one %s and one %s",
				ts[i].spec.Name, ts[i].describeSource(), ts[i+1].describeSource())
		}
	}
	return Resolved{ts}, nil
}

func compareNames(a, b *Tool) int { return strings.Compare(a.spec.Name, b.spec.Name) }

// Len returns the number of tools.
func (r Resolved) Len() int { return len(r.tools) }

// Specs yields the Specs of the tools in order of name. The order is always the same, so that prompt caches stay valid.
func (r Resolved) Specs() iter.Seq[Spec] {
	return func(yield func(Spec) bool) {
		for _, t := range r.tools {
			if !yield(t.spec) {
				return
			}
		}
	}
}

// Lookup returns the tool with exactly this name, and whether there is one.
func (r Resolved) Lookup(name string) (*Tool, bool) {
	i, ok := slices.BinarySearchFunc(r.tools, name,
		func(t *Tool, name string) int { return strings.Compare(t.spec.Name, name) })
	if !ok {
		return nil, false
	}
	return r.tools[i], true
}

// renameTools returns copies of the tools, whose names name maps from the old ones.
func renameTools(ts []*Tool, name func(string) string) ([]*Tool, error) {
	out := make([]*Tool, len(ts))
	for i, t := range ts {
		n := name(t.spec.Name)
		if !toolName.MatchString(n) {
			return nil, fmt.Errorf("tools: invalid name %q for the tool %q: must match %s", n, t.spec.Name, toolName)
		}
		out[i] = t.withName(n)
	}
	return out, nil
}
