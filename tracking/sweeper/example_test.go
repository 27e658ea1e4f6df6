package sweeper_test

import (
	"context"
	"fmt"
	"time"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tracking"
	"github.com/carrel-go/carrel/tracking/sweeper"
)

// newOverdue returns a tracker, its table, and a session whose upload is overdue.
func newOverdue(ctx context.Context) (*tracking.Tracker, *table.Table, scope.Scope) {
	tb := must.Get(table.New(table.NewMemory(nil), nil))
	tracker := must.Get(tracking.New(tb, tracking.Uploads(), nil))
	tenant := must.Get(scope.Tenant("acme"))
	user := must.Get(tenant.User("u1"))
	session := must.Get(user.NewSession())
	must.Get(tracker.Create(ctx, session, &tracking.CreateOptions{Filename: "cover.png", Due: time.Now()}))
	return tracker, tb, session
}

// isMissing is the Look of a store without objects.
func isMissing(context.Context, tracking.Record, tracking.Stage) (object.Ref, bool, error) {
	return object.Ref{}, false, nil
}

func ExampleNew() {
	ctx, stop := context.WithCancel(context.Background())
	tracker, tb, session := newOverdue(ctx)
	s, err := sweeper.New(tracker, tb.System(), &sweeper.Options{
		Look: isMissing,
		Clean: func(context.Context) error {
			stop() // a service sweeps until it shuts down
			return nil
		},
	})
	if err != nil {
		panic(err)
	}
	s.Run(ctx)
	record, err := tracker.Get(context.Background(), session)
	fmt.Println(record.Status, record.Reason, err)
	// Output: FAILED abandoned <nil>
}

func ExampleSweeper_Recover() {
	ctx := context.Background()
	tracker, tb, session := newOverdue(ctx)
	s, err := sweeper.New(tracker, tb.System(), &sweeper.Options{Look: isMissing})
	if err != nil {
		panic(err)
	}
	if err := s.Recover(ctx); err != nil {
		panic(err)
	}
	record, err := tracker.Get(ctx, session)
	fmt.Println(record.Status, record.Reason, err)
	// Output: FAILED abandoned <nil>
}
