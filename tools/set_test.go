package tools

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope"
)

func tenant(t testing.TB, id string) scope.Scope {
	t.Helper()
	sc, err := scope.Tenant(id)
	require.NoError(t, err)
	return sc
}

func toolNamed(t testing.TB) func(name, desc string) *Tool {
	return func(name, desc string) *Tool {
		t.Helper()
		tool, err := New(name, desc, noop[struct{}])
		require.NoError(t, err)
		return tool
	}
}

// offered returns the names of the tools of a set for the tenant acme.
func offered(t testing.TB, s Set) string {
	t.Helper()
	require.NoError(t, s.Err())
	r, err := s.Resolve(t.Context(), tenant(t, "acme"), nil)
	require.NoError(t, err)
	var names []string
	for spec := range r.Specs() {
		got, ok := r.Lookup(spec.Name)
		require.True(t, ok)
		require.Equal(t, spec, got.Spec())
		names = append(names, spec.Name)
	}
	require.Len(t, names, r.Len())
	return strings.Join(names, " ")
}

func TestSetResolvesInOrderOfNames(t *testing.T) {
	t.Parallel()
	tool, acme := toolNamed(t), tenant(t, "acme")
	b, a := tool("b", "The second."), tool("a", "The first.")
	offered, err := Of(b, a).Resolve(t.Context(), acme, nil)
	require.NoError(t, err)
	var names []string
	for s := range offered.Specs() {
		names = append(names, s.Name)
	}
	require.Equal(t, []string{"a", "b"}, names)
	got, ok := offered.Lookup("b")
	require.True(t, ok)
	require.Same(t, b, got)
	_, ok = offered.Lookup("B")
	require.False(t, ok)

	twice := Of(a, b, tool("a", "Another."))
	require.EqualError(t, twice.Err(), `tools: two tools are named "a": one with the description "The first." and one with the description "Another."`)
	_, err = twice.Resolve(t.Context(), acme, nil)
	require.Equal(t, twice.Err(), err)
	require.ErrorContains(t, Of(a, nil).Err(), "tool 1 of the set is nil")

	_, err = Of(a).Resolve(t.Context(), scope.Scope{}, nil)
	require.ErrorContains(t, err, "zero scope")
	offered, err = Set{}.Resolve(t.Context(), scope.Scope{}, nil)
	require.NoError(t, err)
	require.Zero(t, offered.Len())

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Of(a).Resolve(ctx, acme, nil)
	require.ErrorIs(t, err, context.Canceled)
}

// fixed is a dynamic set that always says the same.
func fixed(s Set) Set {
	return Dynamic(func(context.Context, scope.Scope, *State) (Set, error) { return s, nil })
}

// Each operation means the same on tools that are known, on tools that are not, and on a mixture.
func TestSetsCompose(t *testing.T) {
	t.Parallel()
	tool := toolNamed(t)
	a, b, c := tool("a", "A."), tool("b", "B."), tool("c", "C.")
	for name, s := range map[string]Set{
		"static":  Of(c, a, b),
		"dynamic": fixed(Of(b, c, a)),
		"mixed":   Of(c).With(fixed(Of(b)), Set{}, fixed(fixed(Of(a)))),
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, "a b c", offered(t, s))
			require.Equal(t, "x_a x_b x_c", offered(t, s.Prefix("x_")))
			require.Equal(t, "a b d", offered(t, s.Rename(map[string]string{"c": "d"})))
			require.Equal(t, "a b c", offered(t, s.Rename(map[string]string{"a": "b", "b": "c", "c": "a"})))
			require.Equal(t, "b c", offered(t, s.Filter(func(s Spec) bool { return s.Name != "a" })))
			require.Equal(t, "a a_a a_b a_c b c", offered(t, s.With(s.Prefix("a_"))))
			require.Equal(t, "0_z", offered(t, s.Rename(map[string]string{"b": "z"}).Filter(func(s Spec) bool { return s.Name == "z" }).Prefix("0_")))
			require.Equal(t, "a b c", offered(t, s), "the operations change nothing of what they were called on")
			require.Empty(t, offered(t, s.Filter(func(Spec) bool { return false })))

			// The right tool is behind the new name.
			r, err := s.Rename(map[string]string{"a": "b", "b": "a"}).Resolve(t.Context(), tenant(t, "acme"), nil)
			require.NoError(t, err)
			got, ok := r.Lookup("a")
			require.True(t, ok)
			require.Equal(t, "B.", got.Spec().Description)
		})
	}
}

func TestInvalidSetsReturnErrors(t *testing.T) {
	t.Parallel()
	tool, acme := toolNamed(t), tenant(t, "acme")
	a, b := tool("a", "A."), tool("b", "B.")
	var endless Set
	endless = Dynamic(func(context.Context, scope.Scope, *State) (Set, error) { return endless.Prefix("x"), nil })
	for _, c := range []struct {
		s     Set
		early bool // told by Err
		want  string
	}{
		{Of(a).With(Of(b).Rename(map[string]string{"b": "a"})), true, `tools: two tools are named "a": one with the description "A." and one made as "b" with the description "B."`},
		{Of(a, b).Rename(map[string]string{"a": "b"}), true, `tools: two tools are named "b": one made as "a" with the description "A." and one with the description "B."`},
		{Of(a).With(fixed(Of(a))), false, `tools: resolve: tools: two tools are named "a": one with the description "A." and one with the description "A."`},
		{Of(a).Rename(map[string]string{"c": "d", "b": "x"}), true, `tools: cannot rename the unknown tool "b" to "x"`},
		{Of(a).With(fixed(Of(b))).Rename(map[string]string{"c": "d"}), false, `tools: resolve: tools: cannot rename the unknown tool "c" to "d"`},
		{Of(a).Prefix("a b"), true, `tools: invalid name "a ba" for the tool "a": must match ^[a-zA-Z0-9_-]{1,64}$`},
		{fixed(Of(a)).Prefix(strings.Repeat("p", 64)), false, `must match`},
		{Of(a).Rename(map[string]string{"a": ""}), true, `tools: invalid name "" for the tool "a": must match`},
		{Of(a).With(Of(b).Filter(nil)), true, `tools: filter: the function is nil`},
		{Of(a).With(Dynamic(nil)).Prefix("x"), true, `tools: dynamic set: the function is nil`},
		{Of(nil).Prefix("x").Rename(nil).Filter(func(Spec) bool { return true }).With(Of(a)), true, `tools: tool 0 of the set is nil`},
		{Of(a, &Tool{}), true, `tools: tool 1 of the set is nil, or was not made by New`},
		{fixed(Of(nil)), false, `tools: resolve: tools: tool 0 of the set is nil`},
		{Dynamic(func(context.Context, scope.Scope, *State) (Set, error) { return Set{}, errors.New("no rights") }), false, `tools: resolve: no rights`},
		{Dynamic(func(context.Context, scope.Scope, *State) (Set, error) { panic("boom") }), false, `tools: resolve: tools: panic: boom`},
		{fixed(Of(a)).Filter(func(Spec) bool { panic("bang") }), false, `tools: resolve: tools: panic: bang`},
		{endless, false, `tools: resolve: tools: dynamic sets are nested more than 16 deep`},
	} {
		_, err := c.s.Resolve(t.Context(), acme, nil)
		require.ErrorContains(t, err, c.want)
		if c.early {
			require.EqualError(t, c.s.Err(), err.Error())
		} else {
			require.NoError(t, c.s.Err())
		}
	}
}

func TestDynamicSeesScopeAndState(t *testing.T) {
	t.Parallel()
	tool := toolNamed(t)
	asked := 0
	s := Dynamic(func(_ context.Context, sc scope.Scope, st *State) (Set, error) {
		asked++
		level := 0
		_, err := st.Get("level", &level)
		require.NoError(t, err)
		ts := []*Tool{tool(sc.TenantID(), "Whose.")}
		if level > 1 {
			ts = append(ts, tool("more", "More."))
		}
		return Of(ts...), nil
	})
	st := &State{}
	for _, want := range []int{1, 1, 2} {
		r, err := s.Resolve(t.Context(), tenant(t, "globex"), st)
		require.NoError(t, err)
		_, ok := r.Lookup("globex")
		require.True(t, ok)
		require.Equal(t, want, r.Len())
		level := 0
		require.NoError(t, st.Update("level", &level, func() error { level++; return nil }))
	}
	require.Equal(t, 3, asked)
	_, err := s.Resolve(t.Context(), scope.Scope{}, st)
	require.ErrorContains(t, err, "zero scope")
	require.Equal(t, 3, asked, "nobody is asked for the zero scope")
}

// A tool is called by the name that it is offered under, and its arguments are still decoded once.
func TestRenamedToolSeesItsNewName(t *testing.T) {
	t.Parallel()
	decoded := map[any]bool{}
	type in struct {
		L []int `json:"l"`
	}
	tool := mustNew(t, func(_ context.Context, c *Call, in in) (string, error) {
		decoded[&in.L[0]] = true
		return c.Name(), nil
	}, func(h Handler) Handler {
		return func(ctx context.Context, c *Call) (Result, error) {
			_, _ = h(ctx, c)
			return h(ctx, c)
		}
	})
	r, err := Of(tool).Prefix("my_").Resolve(t.Context(), tenant(t, "acme"), nil)
	require.NoError(t, err)
	renamed, ok := r.Lookup("my_t")
	require.True(t, ok)
	res, err := call(renamed, `{"l":[1]}`)
	require.NoError(t, err)
	require.Equal(t, "my_t", res.Blocks[0].Text)
	require.Len(t, decoded, 1)
	require.Equal(t, "t", tool.Spec().Name)
}

func TestStaticResolveAllocatesNothing(t *testing.T) { // AllocsPerRun counts for the whole process
	s := Of(toolNamed(t)("a", "A."), toolNamed(t)("b", "B.")).Prefix("x_")
	acme, ctx := tenant(t, "acme"), t.Context()
	require.Zero(t, testing.AllocsPerRun(100, func() {
		r, err := s.Resolve(ctx, acme, nil)
		if err != nil || r.Len() != 2 {
			t.Fatal(err)
		}
		if _, ok := r.Lookup("x_b"); !ok {
			t.Fatal("lost")
		}
	}))
}

func BenchmarkResolve(b *testing.B) {
	tool := toolNamed(b)
	static := Of(tool("a", "A."), tool("b", "B."), tool("c", "C.")).Prefix("x_")
	acme := tenant(b, "acme")
	for name, s := range map[string]Set{"static": static, "dynamic": fixed(static)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Resolve(context.Background(), acme, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
