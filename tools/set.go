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

// Set is a collection of tools. It is immutable, and safe for concurrent use as far as the functions in it are; the
// zero Set is empty.
//
// Sets compose: [Set.With] joins, [Set.Prefix] and [Set.Rename] give tools other names, [Set.Filter] leaves some out,
// and [Dynamic] decides for each scope anew. The model knows a tool by the name under which it is offered, and so does
// its [Call]. Two tools that end up with one name are an error that says which: the author decides which one is meant,
// not the order of arguments.
type Set struct {
	all     Resolved // the tools that are known now
	dynamic []source // those that are not
	err     error
}

// source gives tools for one turn.
type source func(ctx context.Context, sc scope.Scope, st *State) ([]*Tool, error)

// Of returns the set of these tools. Two tools of one name, or a tool that is nil or was not made by [New], make a set
// that [Set.Err] and [Set.Resolve] report.
func Of(t ...*Tool) Set {
	if i := slices.IndexFunc(t, func(t *Tool) bool { return t == nil || t.fn == nil }); i >= 0 {
		return Set{err: fmt.Errorf("tools: tool %d of the set is nil, or was not made by New", i)}
	}
	return static(t, nil)
}

// Dynamic returns a set whose tools f decides for each turn: within that scope, in a conversation with that State,
// which is not nil. f may be called from many goroutines at once, and its Set may be dynamic again, 16 deep at most:
// one that comes back to itself has no end. An error or a panic of f is the error of Resolve; f is not asked for the
// zero Scope.
//
// The names of tools are the model's to read and are cached with its prompt: a set that seldom changes is a cheap one.
func Dynamic(f func(ctx context.Context, sc scope.Scope, st *State) (Set, error)) Set {
	if f == nil {
		return Set{err: errors.New("tools: a dynamic set without a function")}
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
		r, err := s.resolve(ctx, sc, st)
		return r.tools, err
	}}}
}

// depthKey is where a context says how deep in dynamic sets it is: without a bound, a set that holds itself would
// overflow the stack, which no recover mends.
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
	return static(ts, dynamic)
}

// Prefix puts p before the name of every tool, as in "files_" and "list". A name that no longer is one is an error.
func (s Set) Prefix(p string) Set {
	return s.each(func(ts []*Tool) ([]*Tool, error) {
		return renamed(ts, func(name string) string { return p + name })
	})
}

// Rename gives the tools with the names that are the map's keys the names that are its values, all at once, so that
// two can change places; the others keep theirs. A key that no tool has is an error: of a set that is in part dynamic,
// one of [Set.Resolve]. The map is copied.
func (s Set) Rename(names map[string]string) Set {
	to := maps.Clone(names)
	rename := func(ts []*Tool) ([]*Tool, error) {
		for _, was := range slices.Sorted(maps.Keys(to)) {
			if !slices.ContainsFunc(ts, func(t *Tool) bool { return t.spec.Name == was }) {
				return nil, fmt.Errorf("tools: there is no tool %q to rename to %q", was, to[was])
			}
		}
		return renamed(ts, func(name string) string {
			if n, ok := to[name]; ok {
				return n
			}
			return name
		})
	}
	if s.dynamic == nil || s.err != nil {
		return s.each(rename)
	}
	// Which of the tools has the name is known only once all of them are.
	return Set{dynamic: []source{func(ctx context.Context, sc scope.Scope, st *State) ([]*Tool, error) {
		r, err := s.resolve(ctx, sc, st)
		if err != nil {
			return nil, err
		}
		return rename(r.tools)
	}}}
}

// Filter keeps the tools of which keep says so. keep is asked once for each tool that is known now, and in each turn
// for each that is not; it should know nothing but the Spec.
func (s Set) Filter(keep func(Spec) bool) Set {
	if keep == nil {
		return Set{err: errors.New("tools: a filter without a function")}
	}
	return s.each(func(ts []*Tool) ([]*Tool, error) {
		var out []*Tool
		for _, t := range ts {
			if keep(t.spec) {
				out = append(out, t)
			}
		}
		return out, nil
	})
}

// each applies f to the tools that are known and, later, to each source's.
func (s Set) each(f func([]*Tool) ([]*Tool, error)) Set {
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
	return static(ts, dynamic)
}

// static is the set of tools that are known now, and of sources.
func static(ts []*Tool, dynamic []source) Set {
	all, err := collect(ts)
	if err != nil {
		return Set{err: err}
	}
	return Set{all: all, dynamic: dynamic}
}

// Err says what is wrong with the set, if anything can be told before a scope is known.
func (s Set) Err() error { return s.err }

// Resolve gives the tools that are offered within sc, for one turn of a conversation with that State; a nil one is
// empty. If the set may hold tools, the zero Scope is [scope.ErrDenied].
//
// Of a set that is not dynamic it only hands out what was made when the set was. Of one that is, a panic in a function
// that decides is an error.
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
	if r, err = s.resolve(ctx, sc, st); err != nil {
		return Resolved{}, fmt.Errorf("tools: resolve: %w", err)
	}
	return r, nil
}

func (s Set) resolve(ctx context.Context, sc scope.Scope, st *State) (Resolved, error) {
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
	return collect(ts)
}

// Resolved are the tools that are offered in one turn. It is immutable.
type Resolved struct{ tools []*Tool } // ordered by name

// collect orders tools by name and refuses two of one name. ts is not changed.
func collect(ts []*Tool) (Resolved, error) {
	ts = slices.Clone(ts)
	slices.SortStableFunc(ts, byName)
	for i := range len(ts) - 1 {
		if ts[i].spec.Name == ts[i+1].spec.Name {
			return Resolved{}, fmt.Errorf("tools: two tools are named %q: the one %s and the one %s",
				ts[i].spec.Name, ts[i].source(), ts[i+1].source())
		}
	}
	return Resolved{ts}, nil
}

func byName(a, b *Tool) int { return strings.Compare(a.spec.Name, b.spec.Name) }

// Len is how many tools are offered.
func (r Resolved) Len() int { return len(r.tools) }

// Specs are what the model is told, ordered by name: the same set always reads the same, so that prompt caches hold.
func (r Resolved) Specs() iter.Seq[Spec] {
	return func(yield func(Spec) bool) {
		for _, t := range r.tools {
			if !yield(t.spec) {
				return
			}
		}
	}
}

// Lookup finds an offered tool by its exact name.
func (r Resolved) Lookup(name string) (*Tool, bool) {
	i, ok := slices.BinarySearchFunc(r.tools, name, func(t *Tool, name string) int { return strings.Compare(t.spec.Name, name) })
	if !ok {
		return nil, false
	}
	return r.tools[i], true
}

// renamed gives each tool the name that name makes of its own.
func renamed(ts []*Tool, name func(string) string) ([]*Tool, error) {
	out := make([]*Tool, len(ts))
	for i, t := range ts {
		n := name(t.spec.Name)
		if !toolName.MatchString(n) {
			return nil, fmt.Errorf("tools: the name %q for %q does not match %s", n, t.spec.Name, toolName)
		}
		out[i] = t.as(n)
	}
	return out, nil
}
