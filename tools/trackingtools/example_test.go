package trackingtools_test

import (
	"context"
	"fmt"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tools"
	"github.com/carrel-go/carrel/tools/trackingtools"
	"github.com/carrel-go/carrel/tracking"
)

func ExampleSet() {
	ctx := context.Background()
	tb, _ := table.New(table.NewMemory(nil), nil)
	tracker, _ := tracking.New(tb, tracking.Uploads(), nil)
	acme, _ := scope.Tenant("acme")
	user, _ := acme.User("u1")
	session, _ := user.Session("0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b")
	_, _ = tracker.Create(ctx, session, &tracking.CreateOptions{Filename: "cover.jpg"})

	set, err := trackingtools.Set(tracker)
	if err != nil {
		fmt.Println(err)
		return
	}
	offered, err := set.Resolve(ctx, user, nil) // an agent does this in each turn
	if err != nil {
		fmt.Println(err)
		return
	}
	list, _ := offered.Lookup("list_uploads")
	res, err := list.Call(ctx, tools.NewCall(tools.CallOptions{Scope: user, Args: []byte(`{"status":"active"}`)}))
	fmt.Println(string(res.Blocks[0].JSON), "|", res.Summary, "|", err)
	// Output:
	// {"uploads":[{"upload_id":"0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b","filename":"cover.jpg","status":"active","created":"2025-10-01T21:34:31Z"}]} | 1 upload | <nil>
}
