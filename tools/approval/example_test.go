package approval_test

import (
	"context"
	"fmt"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tools"
	"github.com/carrel-go/carrel/tools/approval"
)

type lendIn struct {
	Title string `json:"title"`
}

func lend(_ context.Context, _ *tools.Call, in lendIn) (string, error) {
	return "lent: " + in.Title, nil
}

// A call waits for approval, a librarian approves it, and it runs when it is made again.
func Example() {
	ctx := context.Background()
	tb, _ := table.New(table.NewMemory(nil), nil)
	approvals, err := approval.New(tb, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	tool, _ := tools.New("lend_book", "Lends a book out.", lend, approvals.Require(nil))

	acme, _ := scope.Tenant("acme")
	user, _ := acme.User("u1")
	call := tools.NewCall(tools.CallOptions{Scope: user, IdempotencyKey: "run 1, turn 2, call 0", Args: []byte(`{"title": "Middlemarch"}`)})
	_, err = tool.Call(ctx, call)
	fmt.Println(err)

	// Later, the host shows a librarian of the tenant what is pending.
	page, _ := approvals.List(ctx, acme, nil)
	for _, r := range page.Requests {
		fmt.Println(r.Tool, string(r.Args), r.Status)
		_, err = approvals.Decide(ctx, r.Scope, r.ID, approval.Decision{Approve: true, By: "librarian"})
		fmt.Println(err)
	}

	// The run is resumed and makes the same call.
	res, err := tool.Call(ctx, call)
	fmt.Println(res.Summary, err)
	// Output:
	// tools: pending: The tool lend_book asks to run.
	// lend_book {"title":"Middlemarch"} pending
	// <nil>
	// lent: Middlemarch <nil>
}

func ExampleApprovals_Require() {
	tb, _ := table.New(table.NewMemory(nil), nil)
	approvals, _ := approval.New(tb, nil)
	tool, _ := tools.New("lend_book", "Lends a book out.", lend, approvals.Require(func(_ context.Context, c *tools.Call) (string, bool, error) {
		return "A visitor wants to borrow.", c.Scope().UserID() == "visitor", nil
	}))
	acme, _ := scope.Tenant("acme")
	for _, id := range []string{"member", "visitor"} {
		user, _ := acme.User(id)
		res, err := tool.Call(context.Background(), tools.NewCall(tools.CallOptions{Scope: user, IdempotencyKey: "k", Args: []byte(`{"title": "Emma"}`)}))
		fmt.Println(id, res.Summary, err)
	}
	// Output:
	// member lent: Emma <nil>
	// visitor  tools: pending: A visitor wants to borrow.
}

func ExampleApprovals_Decide() {
	ctx := context.Background()
	tb, _ := table.New(table.NewMemory(nil), nil)
	approvals, _ := approval.New(tb, nil)
	tool, _ := tools.New("lend_book", "Lends a book out.", lend, approvals.Require(nil))
	acme, _ := scope.Tenant("acme")
	user, _ := acme.User("u1")
	call := tools.NewCall(tools.CallOptions{Scope: user, IdempotencyKey: "k", Args: []byte(`{"title": "Emma"}`)})
	_, _ = tool.Call(ctx, call)

	page, _ := approvals.List(ctx, user, nil)
	r := page.Requests[0]
	_, _ = approvals.Decide(ctx, r.Scope, r.ID, approval.Decision{By: "librarian", Reason: "It is being repaired."})
	_, err := approvals.Decide(ctx, r.Scope, r.ID, approval.Decision{Approve: true, By: "somebody else"})
	fmt.Println(err)

	res, err := tool.Call(ctx, call)
	fmt.Println(res.Blocks[0].Text, res.IsError, err)
	// Output:
	// approval: the opposite decision has been recorded
	// Not run: a person declined this call. Their reason: It is being repaired. true <nil>
}
