package librarytools_test

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/library"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/librarytools"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tools"
	"github.com/carrel-go/carrel/tools/approval"
	"github.com/carrel-go/carrel/tracking"
)

func ExampleTools() {
	ctx := context.Background()
	t, _ := table.New(table.NewMemory(nil), nil)
	raw, _ := object.New(object.NewMemory(), "raw", nil)
	landing, _ := object.New(object.NewMemory(), "landing", nil)
	tracker, _ := tracking.New(t, tracking.Uploads(), nil)
	books, _ := library.New(t, raw, landing, tracker, nil)
	approvals, _ := approval.New(t, nil)
	set, err := librarytools.Tools(books, approvals)
	if err != nil {
		fmt.Println(err)
		return
	}
	acme, _ := scope.Tenant("acme")
	ann, _ := acme.User("ann")
	offered, err := set.Resolve(ctx, ann, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	call := func(name, args string) {
		tool, _ := offered.Lookup(name)
		o := tools.CallOptions{Scope: ann, IdempotencyKey: "k", Args: json.RawMessage(args)}
		res, err := tool.Call(ctx, tools.NewCall(o))
		fmt.Println(res.Summary, err)
	}
	call(librarytools.ListBooks, `{}`)
	call(librarytools.ShareBook, `{"book_id":"0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b","version":1}`)
	// Output:
	// 0 books <nil>
	//  tools: correction: The user is not a librarian, so the book cannot be shared. Tell them to ask a librarian.
}
