package mcp_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tools"
	"github.com/carrel-go/carrel/tools/approval"
	"github.com/carrel-go/carrel/tools/mcp"
)

func denyAll(context.Context, approval.Request) (string, bool) { return "", false }

// desk is a world with a tool that needs an approval.
type desk struct {
	*world
	approvals *approval.Approvals
	runs      atomic.Int32
	keys      []string
}

type lendArgs struct {
	Book string `json:"book"`
}

func newDesk(t *testing.T, mayDecide func(context.Context, approval.Request) (string, bool)) *desk {
	t.Helper()
	d := &desk{approvals: must.Get(approval.New(must.Get(table.New(table.NewMemory(nil), nil)), nil))}
	lend := func(_ context.Context, c *tools.Call, in lendArgs) (string, error) {
		d.runs.Add(1)
		d.keys = append(d.keys, c.IdempotencyKey())
		return "lent " + in.Book, nil
	}
	set := tools.Of(newTool(t, "lend", lend, d.approvals.Require(nil)), newTool(t, "give", lend, d.approvals.Require(nil)))
	d.world = newWorld(t, set, &mcp.ServeOptions{Approvals: d.approvals, MayDecide: mayDecide})
	return d
}

func owner(_ context.Context, r approval.Request) (string, bool) { return r.Scope.UserID(), true }

// asks is a client whose person answers with the answers, one a question.
func (d *desk) asks(questions *[]string, answers ...*sdk.ElicitResult) *sdk.ClientOptions {
	return &sdk.ClientOptions{ElicitationHandler: func(_ context.Context, r *sdk.ElicitRequest) (*sdk.ElicitResult, error) {
		*questions = append(*questions, r.Params.Message)
		if len(answers) == 0 {
			return nil, errors.New("asked once too often")
		}
		a := answers[0]
		answers = answers[1:]
		return a, nil
	}}
}

func approve(yes bool) *sdk.ElicitResult {
	return &sdk.ElicitResult{Action: "accept", Content: map[string]any{"approve": yes, "reason": "because"}}
}

func TestCallRunsOnceItsPersonApproves(t *testing.T) {
	t.Parallel()
	d := newDesk(t, owner)
	var questions []string
	session := d.connect(d.token("acme", "u1"), d.asks(&questions, approve(true)))
	res, err := session.CallTool(t.Context(), &sdk.CallToolParams{Name: "lend", Arguments: lendArgs{"Emma"}})
	require.NoError(t, err)
	require.Equal(t, "lent Emma", text(t, res))
	require.EqualValues(t, 1, d.runs.Load())
	require.Equal(t, []string{"The tool lend asks to run.\n\nTool: lend\nArguments: {\"book\":\"Emma\"}"}, questions)
	require.True(t, strings.HasPrefix(d.keys[0], "mcp."))

	list := must.Get(d.approvals.List(t.Context(), userScope(t, "acme", "u1"), nil))
	require.Empty(t, list.Requests, "nothing is pending")
}

func TestDeclinedAndDismissedCallsDoNotRun(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer  *sdk.ElicitResult
		want    string
		pending int
	}{
		"no":        {approve(false), "Not run: a person declined this call. Their reason: because", 0},
		"decline":   {&sdk.ElicitResult{Action: "decline"}, "Not run: a person declined this call.", 0},
		"dismissed": {&sdk.ElicitResult{Action: "cancel"}, "Not run: the call waits for an approval. The tool lend asks to run.", 1},
	} {
		d := newDesk(t, owner)
		var questions []string
		session := d.connect(d.token("acme", "u1"), d.asks(&questions, c.answer))
		res, err := session.CallTool(t.Context(), &sdk.CallToolParams{Name: "lend", Arguments: lendArgs{"Emma"}})
		require.NoError(t, err, name)
		require.True(t, res.IsError, name)
		require.Equal(t, c.want, text(t, res), name)
		require.Zero(t, d.runs.Load(), name)
		require.Len(t, must.Get(d.approvals.List(t.Context(), userScope(t, "acme", "u1"), nil)).Requests, c.pending, name)
	}
}

// The answer of a client that may not decide decides nothing: the approvals do.
func TestOnlyTheApprovalsDecide(t *testing.T) {
	t.Parallel()
	for name, mayDecide := range map[string]func(context.Context, approval.Request) (string, bool){"nil": nil, "no": denyAll} {
		d := newDesk(t, mayDecide)
		u1 := userScope(t, "acme", "u1")
		asked := 0
		session := d.connect(d.token("acme", "u1"), &sdk.ClientOptions{
			ElicitationHandler: func(ctx context.Context, r *sdk.ElicitRequest) (*sdk.ElicitResult, error) {
				require.Contains(t, r.Params.Message, "Somebody else must decide.")
				if asked++; asked == 3 { // the third time, they have
					requests := must.Get(d.approvals.List(ctx, u1, nil)).Requests
					require.Len(t, requests, 1, "each retry is of the same request")
					_, err := d.approvals.Decide(ctx, requests[0].Scope, requests[0].ID, approval.Decision{Approve: true, By: "desk"})
					require.NoError(t, err)
				}
				require.Zero(t, d.runs.Load())
				return approve(true), nil
			},
		})
		res, err := session.CallTool(t.Context(), &sdk.CallToolParams{Name: "lend", Arguments: lendArgs{"Emma"}})
		require.NoError(t, err, name)
		require.Equal(t, "lent Emma", text(t, res), name)
		require.Equal(t, 3, asked)
	}
}

// State that a client makes up, or takes from another call or another caller, does not run anything.
func TestForeignRequestStateIsRejected(t *testing.T) {
	t.Parallel()
	d := newDesk(t, owner)
	manual := &sdk.ClientOptions{
		MultiRoundTrip: &sdk.MultiRoundTripOptions{Disabled: true},
		Capabilities:   &sdk.ClientCapabilities{Elicitation: &sdk.ElicitationCapabilities{}},
	}
	u1, u2 := d.connect(d.token("acme", "u1"), manual), d.connect(d.token("acme", "u2"), manual)
	lend := &sdk.CallToolParams{Name: "lend", Arguments: lendArgs{"Emma"}}
	first, err := u1.CallTool(t.Context(), lend)
	require.NoError(t, err)
	require.True(t, first.NeedsInput())
	other, err := u1.CallTool(t.Context(), lend)
	require.NoError(t, err)
	require.NotEqual(t, first.RequestState, other.RequestState, "each call has a request of its own")

	id, nonce, _ := strings.Cut(first.RequestState, ".")
	_, otherNonce, _ := strings.Cut(other.RequestState, ".")
	for name, c := range map[string]struct {
		session *sdk.ClientSession
		tool    string
		book    string
		state   string
	}{
		"another user":           {u2, "lend", "Emma", first.RequestState},
		"another tool":           {u1, "give", "Emma", first.RequestState},
		"other arguments":        {u1, "lend", "Ulysses", first.RequestState},
		"nonce of another call":  {u1, "lend", "Emma", id + "." + otherNonce},
		"unknown id":             {u1, "lend", "Emma", strings.Repeat("0", 64) + "." + nonce},
		"no id":                  {u1, "lend", "Emma", nonce},
		"a longer state":         {u1, "lend", "Emma", first.RequestState + "-TAMPERED"},
		"a state in upper case":  {u1, "lend", "Emma", strings.ToUpper(first.RequestState)},
		"a state with new lines": {u1, "lend", "Emma", first.RequestState + "\n"},
	} {
		_, err := c.session.CallTool(t.Context(), &sdk.CallToolParams{
			Name: c.tool, Arguments: lendArgs{c.book}, RequestState: c.state,
			InputResponses: sdk.InputResponseMap{"approval": &sdk.ElicitResult{Action: "cancel"}},
		})
		require.ErrorContains(t, err, "requestState is not that of this call", name)
	}
	require.Zero(t, d.runs.Load())

	// An answer without a decision asks again, and so does one under another name.
	for _, responses := range []sdk.InputResponseMap{
		nil,
		{"approval": &sdk.ElicitResult{Action: "accept"}},
		{"approval": &sdk.ElicitResult{Action: "accept", Content: map[string]any{"approve": "true"}}},
		{"approval": &sdk.ElicitResult{Action: "accept", Content: map[string]any{"approve": true, "reason": 1}}},
		{"other": approve(true)},
	} {
		again, err := u1.CallTool(t.Context(), &sdk.CallToolParams{
			Name: "lend", Arguments: lendArgs{"Emma"}, RequestState: first.RequestState, InputResponses: responses,
		})
		require.NoError(t, err)
		require.True(t, again.NeedsInput())
		require.Equal(t, first.RequestState, again.RequestState)
	}
	require.Zero(t, d.runs.Load())

	// A decision stands: who answers later, or differently, changes nothing.
	for i, yes := range []bool{true, false, true} {
		res, err := u1.CallTool(t.Context(), &sdk.CallToolParams{
			Name: "lend", Arguments: lendArgs{"Emma"}, RequestState: first.RequestState,
			InputResponses: sdk.InputResponseMap{"approval": approve(yes)},
		})
		require.NoError(t, err)
		require.Equal(t, "lent Emma", text(t, res))
		require.Equal(t, d.keys[0], d.keys[i], "the tool can tell that it is the same call")
	}
}

// A client that cannot be asked leaves no request behind, which nobody could use.
func TestClientThatCannotBeAskedIsTold(t *testing.T) {
	t.Parallel()
	d := newDesk(t, owner)
	session := d.connect(d.token("acme", "u1"), nil)
	res, err := session.CallTool(t.Context(), &sdk.CallToolParams{Name: "lend", Arguments: lendArgs{"Emma"}})
	require.NoError(t, err)
	require.True(t, res.IsError)
	require.Contains(t, text(t, res), "Not run: a person must approve this call, and it cannot wait for an approval here.")
	require.Empty(t, must.Get(d.approvals.List(t.Context(), userScope(t, "acme", "u1"), nil)).Requests)
	require.Zero(t, d.runs.Load())
}
