package sweeper_test

import (
	"context"
	"fmt"
	"time"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/sweeper"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tracking"
)

func ExampleSweeper_Recover() {
	ctx := context.Background()
	tb, _ := table.New(table.NewMemory(nil), nil)
	tracker, err := tracking.New(tb, tracking.Uploads(), nil)
	if err != nil {
		panic(err)
	}
	tenant, _ := scope.Tenant("acme")
	user, _ := tenant.User("u1")
	session, _ := user.NewSession()
	if _, err := tracker.Create(ctx, session, &tracking.CreateOptions{Filename: "cover.png", Due: time.Now()}); err != nil {
		panic(err)
	}
	look := func(context.Context, tracking.Record, tracking.Stage) (object.Ref, bool, error) {
		return object.Ref{}, false, nil // nothing has arrived
	}
	if err := sweeper.New(tracker, tb.System(), look, nil).Recover(ctx); err != nil {
		panic(err)
	}
	record, err := tracker.Get(ctx, session)
	fmt.Println(record.Status, record.Reason, err)
	// Output: FAILED abandoned <nil>
}
