package carrel_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/agenttest"
	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tools"
	"github.com/carrel-go/carrel/tools/approval"
	"github.com/carrel-go/carrel/tools/objecttools"
	"github.com/carrel-go/carrel/tools/trackingtools"
	"github.com/carrel-go/carrel/tracking"
)

// toolOperations are those of the agent and of everything that it calls.
func toolOperations(t *testing.T) map[string]operation {
	t.Helper()
	records := must.Get(table.New(table.NewMemory(nil), nil))
	approvals, err := approval.New(records, nil)
	require.NoError(t, err)
	guarded, err := tools.New("guarded", "Waits.", func(context.Context, *tools.Call, struct{}) (string, error) {
		return "", nil
	}, approvals.Require(nil))
	require.NoError(t, err)
	files, err := objecttools.Set(must.Get(object.New(object.NewMemory(), "carrel-raw", nil)), nil)
	require.NoError(t, err)
	tr, err := tracking.New(records, tracking.Uploads(), nil)
	require.NoError(t, err)
	uploads, err := trackingtools.Set(tr)
	require.NoError(t, err)
	answers := agenttest.Func(func(context.Context, *agent.Request) ([]agent.Delta, error) {
		return []agent.Delta{agenttest.Say("ok")}, nil
	})
	a, err := agent.New(answers, &agent.Options{Tools: tools.Of(guarded)})
	require.NoError(t, err)

	call := func(tool *tools.Tool, args string) func(context.Context, scope.Scope) error {
		return func(ctx context.Context, s scope.Scope) error {
			_, err := tool.Call(ctx, tools.NewCall(tools.CallOptions{Scope: s, Args: []byte(args)}))
			return err
		}
	}
	acme, err := scope.Tenant("acme")
	require.NoError(t, err)
	find := func(set tools.Set, name string) *tools.Tool {
		r, err := set.Resolve(t.Context(), acme, nil)
		require.NoError(t, err)
		tool, ok := r.Lookup(name)
		require.True(t, ok, name)
		return tool
	}
	ops := map[string]operation{
		"agent.Run": {func(ctx context.Context, s scope.Scope) error {
			_, err := a.Run(ctx, agent.Input{Scope: s, Prompt: "Go."})
			return err
		}, anyLevel},
		"agent.Run shared": {func(ctx context.Context, s scope.Scope) error {
			in := agent.Input{Scope: acme, Shared: s, Prompt: "Go."}
			if s.Level() == scope.None { // none is given
				in.Scope = s
			}
			_, err := a.Run(ctx, in)
			return err
		}, []scope.Level{scope.SharedLevel}},
		"tools.Resolve": {func(ctx context.Context, s scope.Scope) error {
			_, err := tools.Of(guarded).Resolve(ctx, s, nil)
			return err
		}, anyLevel},
		"approval.Require": {call(guarded, `{}`), anyLevel},
		"approval.Get":     {func(ctx context.Context, s scope.Scope) error { _, err := approvals.Get(ctx, s, "/"); return err }, anyLevel},
		"approval.Decide": {func(ctx context.Context, s scope.Scope) error {
			_, err := approvals.Decide(ctx, s, "/", approval.Decision{})
			return err
		}, anyLevel},
		"approval.List": {func(ctx context.Context, s scope.Scope) error {
			_, err := approvals.List(ctx, s, &approval.ListOptions{Limit: -1})
			return err
		}, anyLevel},
	}
	for name, args := range map[string]string{
		"list_files": `{}`, "describe_file": `{"file":"f1"}`, "read_chunk": `{"file":"f1"}`, "search": `{"file":"f1","pattern":"a"}`, "sample": `{"file":"f1"}`,
	} {
		ops["objecttools "+name] = operation{call(find(files, name), args), anyLevel}
	}
	hasUploads := []scope.Level{scope.TenantLevel, scope.UserLevel, scope.SessionLevel}
	for name, args := range map[string]string{"list_uploads": `{}`, "get_upload": `{"upload_id":"x"}`} {
		ops["trackingtools "+name] = operation{call(find(uploads, name), args), hasUploads}
	}
	return ops
}
