package replay_test

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/sse/replay"
)

// A process dies within an answer. Another one takes the log over, retracts the events since the last checkpoint,
// and continues.
func Example() {
	ctx := context.Background()
	tenant, _ := scope.Tenant("acme")
	user, _ := tenant.User("u1")
	session, _ := user.NewSession()
	driver := table.NewMemory(nil) // shared by all processes
	tb, _ := table.New(driver, nil)
	first, _ := replay.New(tb, nil)
	second, _ := replay.New(tb, nil)

	w, err := first.Open(ctx, session, "00000001", json.RawMessage(`{"type":"run_started"}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	checkpoint, _ := w.Flush(ctx)
	_ = w.Append(ctx, json.RawMessage(`{"type":"text_delta","delta":"It is a"}`), true)
	_, _ = w.Flush(ctx)
	w.Abandon() // the process dies

	retract := fmt.Sprintf(`{"type":"retract","after":%q}`, checkpoint)
	w, err = second.Open(ctx, session, "00000001", json.RawMessage(retract))
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = w.Append(ctx, json.RawMessage(`{"type":"text_delta","delta":"It is a map."}`), false)
	if err := w.Finish(ctx, json.RawMessage(`{"type":"finished","outcome":"complete"}`)); err != nil {
		fmt.Println(err)
	}

	for e, err := range second.Events(ctx, session, "00000001", checkpoint) {
		fmt.Println(e.ID, string(e.Data), err)
	}
	// Output:
	// 000000000002.0000 {"type":"text_delta","delta":"It is a"} <nil>
	// 000000000003.0000 {"type":"retract","after":"000000000001.0000"} <nil>
	// 000000000004.0000 {"type":"text_delta","delta":"It is a map."} <nil>
	// 000000000004.0001 {"type":"finished","outcome":"complete"} <nil>
}
