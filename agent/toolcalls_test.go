package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/strictjson"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/tools"
)

// Each kind of failure, as the model, the host and a person see it.
func TestToolFailuresAreExplained(t *testing.T) {
	t.Parallel()
	for word, c := range map[string]struct {
		told  string
		cause string
	}{
		"secret": {"The tool failed.", "arn:aws:s3:::acme"},
		"mend":   {"say it louder", "say it louder"},
		"panic":  {"The tool failed.", "panic: secret"},
	} {
		t.Run(word, func(t *testing.T) {
			a := newAgent(t, play(step{use("c1", "echo", `{"word":"`+word+`"}`), calls}, step{text("ok"), end}), Limits{}, echo(t))
			evs, failed := drain(t, a, t.Context(), Input{Scope: tenant(t, "acme"), Prompt: "Go."})
			require.Nil(t, failed)
			d := evs[1].(ToolDone)
			require.Equal(t, tools.Result{Blocks: []tools.Block{{Text: c.told}}, Summary: c.told, IsError: true}, d.Result)
			require.ErrorContains(t, d.Err, c.cause)
		})
	}

	t.Run("never offered", func(t *testing.T) {
		a := newAgent(t, play(step{use("c1", "delete_all", `{"tenant":"globex"}`), calls}, step{text("ok"), end}), Limits{}, echo(t), mustTool(t, "also", nil))
		evs, failed := drain(t, a, t.Context(), Input{Scope: tenant(t, "acme"), Prompt: "Go."})
		require.Nil(t, failed)
		require.Equal(t, `There is no tool named "delete_all". The tools are: also, echo.`, evs[1].(ToolDone).Result.Summary)
	})

	t.Run("no tools", func(t *testing.T) {
		a := newAgent(t, play(step{use("c1", "echo", `{}`), calls}, step{text("ok"), end}), Limits{})
		evs, failed := drain(t, a, t.Context(), Input{Prompt: "Go."})
		require.Nil(t, failed)
		require.Equal(t, `There is no tool named "echo". No tools are offered.`, evs[1].(ToolDone).Result.Summary)
	})

	t.Run("words that are not UTF-8", func(t *testing.T) {
		bad := mustTool(t, "bad", func(context.Context, *tools.Call, string) (string, error) { return "", tools.Correct("no file \xff") })
		a := newAgent(t, play(step{use("c1", "bad", `{"word":"x"}`), calls}, step{text("ok"), end}), Limits{}, bad)
		done, err := a.Run(t.Context(), Input{Scope: tenant(t, "acme"), Prompt: "Go."})
		require.NoError(t, err)
		_, err = json.Marshal(done.History.Turns)
		require.NoError(t, err)
	})
}

func TestFatalErrorEndsTheRun(t *testing.T) {
	t.Parallel()
	run := func(word string) *RunError {
		a := newAgent(t, play(step{use("c1", "echo", `{"word":"a"}`), use("c2", "echo", `{"word":"`+word+`"}`), use("c3", "echo", `{"word":"c"}`), calls}),
			Limits{Parallel: 1}, echo(t))
		evs, failed := drain(t, a, t.Context(), Input{Scope: tenant(t, "acme"), Prompt: "Go."})
		require.NotNil(t, failed)
		require.Len(t, evs, 6, "every call begins and ends")
		return failed
	}
	failed := run("fatal")
	require.Equal(t, Code("not_an_image"), failed.Code)
	require.Equal(t, "The file is no image.", failed.Message)
	require.False(t, failed.Retryable)
	require.ErrorContains(t, failed, "secret")
	cause, ok := errors.AsType[*tools.FatalError](failed)
	require.True(t, ok)
	require.False(t, cause.Retryable)
	require.Equal(t, "agent: run: tools: fatal: not_an_image: The file is no image.: secret", failed.Error())
	require.Equal(t, []string{
		"user: Go.",
		`assistant: [c1 echo {"word":"a"}] [c2 echo {"word":"fatal"}] [c3 echo {"word":"c"}]`,
		"user: {c1= <a>} {c2! The file is no image.} {c3! Not run: the run was stopped.}",
	}, lines(failed.Done.History), "what ran may have had an effect, so the history tells")

	failed = run("plain fatal")
	require.Equal(t, CodeToolFailed, failed.Code)
	require.True(t, failed.Retryable)
	require.NotContains(t, failed.Message, "secret")
	require.NotContains(t, strings.Join(lines(failed.Done.History), "\n"), "secret")
}

func TestToolReceivesScopeIDAndKey(t *testing.T) {
	t.Parallel()
	type seen struct{ tenant, id, name, key, ctx string }
	var got []seen
	look := mustTool(t, "look", func(ctx context.Context, c *tools.Call, _ string) (string, error) {
		s, err := scope.FromContext(ctx)
		require.NoError(t, err)
		got = append(got, seen{c.Scope().TenantID(), c.ID(), c.Name(), c.IdempotencyKey(), s.TenantID()})
		return "", nil
	})
	run := func(tenantID, runID string) []string {
		got = nil
		m := play(step{use("c1", "look", `{"word":""}`), use("c2", "look", `{"word":""}`), calls}, step{use("c3", "look", `{"word":""}`), calls}, step{text("ok"), end})
		// The scope of the context is ignored.
		ctx := scope.NewContext(t.Context(), tenant(t, "globex"))
		_, failed := drain(t, newAgent(t, m, Limits{Parallel: 1}, look), ctx, Input{Scope: tenant(t, tenantID), Run: runID, Prompt: "Go."})
		require.Nil(t, failed)
		var keys []string
		for i, s := range got {
			require.Equal(t, seen{tenantID, fmt.Sprint("c", i+1), "look", s.key, tenantID}, s)
			keys = append(keys, s.key)
		}
		return keys
	}
	keys := run("acme", "r1")
	require.Equal(t, keys, run("acme", "r1"), "the same run again: the same keys")
	all := map[string]bool{}
	for _, k := range append(append(keys, run("acme", "r2")...), run("initech", "r1")...) {
		require.Len(t, k, 64)
		all[k] = true
	}
	require.Len(t, all, 9)
	require.Equal(t, []string{"", "", ""}, run("acme", ""))

	user, err := tenant(t, "acme").User("u1")
	require.NoError(t, err)
	shared, err := tenant(t, "acme").Shared()
	require.NoError(t, err)
	session, err := user.NewSession()
	require.NoError(t, err)
	levels := map[string]bool{}
	for _, s := range []scope.Scope{{}, tenant(t, "acme"), shared, user, session} {
		levels[idempotencyKey(s, "r1", 0, 0, "", nil)] = true
	}
	require.Len(t, levels, 5, "each level of a tenant has keys of its own")
}

// A repeated request may yield another call in the same place, with another key. White space and the order of names do
// not change the key.
func TestIdempotencyKeysDependOnPlaceAndContent(t *testing.T) {
	t.Parallel()
	key := func(name, input string) string {
		args, err := strictjson.Canonical([]byte(input))
		if err != nil {
			args = []byte(input)
		}
		return idempotencyKey(tenant(t, "acme"), "r", 1, 2, name, args)
	}
	one := key("lend", `{"title":"Emma","days":3}`)
	require.Equal(t, one, key("lend", ` {"days": 3.0, "title": "Emm\u0061"}`))
	for _, other := range []string{
		key("lend", `{"title":"Emma","days":4}`), key("give", `{"title":"Emma","days":3}`), key("lend", `{"title":"Emma"}`),
		key("lend", `{"title":"Emma","days":"3"}`), key("lend{", `"title":"Emma","days":3}`),
	} {
		require.NotEqual(t, one, other)
	}
	require.NotEqual(t, key("n", `{"a":9007199254740993}`), key("n", `{"a":9007199254740992}`))
}

func TestToolThatExitsItsGoroutineFails(t *testing.T) {
	t.Parallel()
	gone := mustTool(t, "gone", func(context.Context, *tools.Call, string) (string, error) {
		exit()
		return "", nil
	})
	a := newAgent(t, play(step{use("c1", "gone", `{"word":""}`), calls}, step{text("ok"), end}), Limits{ToolTimeout: time.Hour}, gone)
	evs, failed := drain(t, a, t.Context(), Input{Scope: tenant(t, "acme"), Prompt: "Go."})
	require.Nil(t, failed)
	require.ErrorIs(t, evs[1].(ToolDone).Err, errExited)
}
