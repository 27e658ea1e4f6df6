package agent

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tools"
)

// shared returns the scope of a tenant's shared data, and a file in it.
func (s *shelf) shared(t *testing.T, tenantID string) (scope.Scope, object.Ref) {
	t.Helper()
	sc, err := tenant(t, tenantID).Shared()
	require.NoError(t, err)
	root, err := s.bucket.In(sc)
	require.NoError(t, err)
	ref, err := root.Ref("terms.png")
	require.NoError(t, err)
	ref, _, err = root.Put(t.Context(), ref, strings.NewReader("TERMS OF "+tenantID), nil)
	require.NoError(t, err)
	return sc, ref
}

func TestToolsReadSharedDataAndCannotWriteIt(t *testing.T) {
	t.Parallel()
	s := newShelf(t, nil)
	shared, ref := s.shared(t, "acme")
	var got []scope.Scope
	try := mustTool(t, "try", func(ctx context.Context, c *tools.Call, _ string) (string, error) {
		got = append(got, c.Shared())
		root, err := s.bucket.In(c.Shared())
		if err != nil {
			require.ErrorIs(t, err, scope.ErrDenied)
			return "denied", nil
		}
		_, info, err := root.Stat(ctx, ref)
		require.NoError(t, err)
		require.Positive(t, info.Size)
		_, _, err = root.Put(ctx, ref.Unpinned(), strings.NewReader("x"), &object.PutOptions{Overwrite: true})
		require.ErrorIs(t, err, scope.ErrReadOnly)
		require.ErrorIs(t, root.Delete(ctx, ref), scope.ErrReadOnly)
		own, err := s.bucket.In(c.Scope())
		require.NoError(t, err)
		_, _, err = own.Stat(ctx, ref)
		require.ErrorIs(t, err, object.ErrOutside)
		return "read", nil
	})
	run := func(shared scope.Scope) string {
		a := newAgent(t, play(step{use("c1", "try", `{"word":""}`), calls}, step{text("ok"), end}), Limits{}, try)
		done, err := a.Run(t.Context(), Input{Scope: s.acme, Shared: shared, Prompt: "Go."})
		require.NoError(t, err)
		return lines(done.History)[2]
	}
	require.Equal(t, "user: {c1= read}", run(shared))
	require.Equal(t, "user: {c1= read}", run(shared.ReadOnly()))
	require.Equal(t, "user: {c1= denied}", run(scope.Scope{}), "nothing is derived from the session")
	require.Equal(t, []scope.Scope{shared.ReadOnly(), shared.ReadOnly(), {}}, got)
}

func TestSharedMustBeOfTheRunsTenant(t *testing.T) {
	t.Parallel()
	s := newShelf(t, nil)
	theirs, _ := s.shared(t, "globex")
	ours, _ := s.shared(t, "acme")
	user, err := tenant(t, "acme").User("u1")
	require.NoError(t, err)
	for name, in := range map[string]Input{
		"another tenant's": {Scope: s.acme, Shared: theirs},
		"a tenant":         {Scope: s.acme, Shared: tenant(t, "acme")},
		"a user":           {Scope: s.acme, Shared: user},
		"the session":      {Scope: s.acme, Shared: s.acme},
		"no scope":         {Shared: ours},
	} {
		heard, m := &refusals{}, play()
		in.Prompt = "Go."
		_, err := s.agent(t, m, heard).Run(t.Context(), in)
		require.ErrorIs(t, err, scope.ErrDenied, name)
		require.Empty(t, m.requests)
		require.Len(t, heard.all, 1)
		require.Equal(t, "agent.Shared", heard.all[0].Op)
	}
}

// An object of the shared data can be shown to the model, stored with its turn and checkpoint, and read again with the
// shared scope only.
func TestSharedMediaNeedTheSharedScope(t *testing.T) {
	t.Parallel()
	s := newShelf(t, nil)
	shared, ref := s.shared(t, "acme")
	_, theirs := s.shared(t, "globex")
	show := func(f object.Ref) *tools.Tool {
		tool, err := tools.New("show", "Shows a cover.", func(context.Context, *tools.Call, struct{}) (tools.Media, error) {
			return tools.Media{Format: "png", Object: f}, nil
		})
		require.NoError(t, err)
		return tool
	}
	load := func(ctx context.Context, r *Request) string {
		b, err := r.Load(ctx, ref, 100)
		if err != nil {
			return err.Error()
		}
		return string(b)
	}
	var loaded string
	reads := modelFunc(func(ctx context.Context, r *Request) iterDeltas {
		loaded = load(ctx, r)
		return conversation(step{use("c1", "show", `{}`), calls}, step{text("ok"), end}).Stream(ctx, r)
	})
	in := Input{Scope: s.acme, Shared: shared, Run: "r", Prompt: "Go.", Media: []tools.Media{{Format: "png", Object: ref}}}
	var first *Checkpoint
	var done Done
	for ev, err := range s.agent(t, reads, nil, show(ref)).Stream(t.Context(), in) {
		require.NoError(t, err)
		switch ev := ev.(type) {
		case Checkpointed:
			if first == nil {
				first = ev.Checkpoint
			}
		case Done:
			done = ev
		}
	}
	require.Equal(t, "TERMS OF acme", loaded)
	require.Equal(t, "user: {c1= }", lines(done.History)[2])

	own, err := s.bucket.In(s.acme)
	require.NoError(t, err)
	also, err := s.bucket.In(shared)
	require.NoError(t, err)
	turn := done.History.Turns[0]
	b, err := json.Marshal(turn)
	require.NoError(t, err)
	_, err = decodeTurn(b, own)
	require.ErrorIs(t, err, object.ErrOutside)
	got, err := decodeTurn(b, own, also)
	require.NoError(t, err)
	require.Equal(t, turn, got)
	b, err = json.Marshal(first)
	require.NoError(t, err)
	_, err = decodeCheckpoint(b, own)
	require.ErrorIs(t, err, object.ErrOutside)
	c, err := decodeCheckpoint(b, own, also)
	require.NoError(t, err)
	again, err := s.agent(t, reads, nil, show(ref)).Run(t.Context(), Input{Scope: s.acme, Shared: shared, Run: "r", Resume: c})
	require.NoError(t, err)
	require.Equal(t, done.History.Turns, again.History.Turns)

	for name, in := range map[string]Input{
		"not given":            {Scope: s.acme, Prompt: "Go.", Media: in.Media},
		"resumed, not given":   {Scope: s.acme, Run: "r", Resume: c},
		"of another tenant":    {Scope: s.acme, Shared: shared, Prompt: "Go.", Media: []tools.Media{{Format: "png", Object: theirs}}},
		"of another's session": {Scope: s.acme, Shared: shared, Prompt: "Go.", Media: []tools.Media{{Format: "png", Object: s.theirs}}},
	} {
		heard, m := &refusals{}, play()
		_, err := s.agent(t, m, heard, show(ref)).Run(t.Context(), in)
		require.ErrorIs(t, err, object.ErrOutside, name)
		require.Empty(t, m.requests)
		require.Len(t, heard.all, 1)
	}
	// Later runs without the shared scope continue: a note replaces the object, also for a model that passes on
	// references. Objects of another tenant in a history are still rejected.
	for _, a := range []*Options{{Objects: s.bucket}, {}} {
		m := play(step{text("Yes."), end})
		a.Compact = DropOldest(1 << 20)
		later, err := New(m, a)
		require.NoError(t, err)
		_, err = later.Run(t.Context(), Input{Scope: s.acme, Prompt: "Sure?", History: done.History})
		require.NoError(t, err)
		sent := lines(History{Turns: []Turn{{m.requests[0].Messages}}})
		require.NotContains(t, strings.Join(sent, "\n"), "terms.png")
		require.Contains(t, sent[0], "not shared with this conversation any more")
		smuggled := History{Turns: []Turn{{[]Message{{RoleUser, []Part{{Image: &tools.Media{Format: "png", Object: theirs}}}}, {RoleAssistant, []Part{{Text: "?"}}}}}}}
		_, err = later.Run(t.Context(), Input{Scope: s.acme, Shared: shared, Prompt: "Sure?", History: smuggled})
		require.ErrorIs(t, err, object.ErrOutside)
	}
	done, err = s.agent(t, play(step{use("c1", "show", `{}`), calls}, step{text("ok"), end}), nil, show(theirs)).
		Run(t.Context(), Input{Scope: s.acme, Shared: shared, Prompt: "Go."})
	require.NoError(t, err)
	require.Equal(t, "user: {c1! The tool ran, but its result cannot be shown.}", lines(done.History)[2])
}

// An agent with tools, a set of tools and a call are denied under the zero scope.
func TestZeroScopeIsDenied(t *testing.T) {
	t.Parallel()
	m := play()
	_, err := newAgent(t, m, Limits{}, echo(t)).Run(t.Context(), Input{Prompt: "Go."})
	require.ErrorIs(t, err, scope.ErrDenied)
	require.Empty(t, m.requests)
	_, err = tools.Of(echo(t)).Resolve(t.Context(), scope.Scope{}, nil)
	require.ErrorIs(t, err, scope.ErrDenied)
	_, err = tools.Dynamic(func(context.Context, scope.Scope, *tools.State) (tools.Set, error) { return tools.Set{}, nil }).
		Resolve(t.Context(), scope.Scope{}, nil)
	require.ErrorIs(t, err, scope.ErrDenied)
}
