package integration_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/scope/table/dynamo"
	"github.com/carrel-go/carrel/tracking"
	"github.com/carrel-go/carrel/tracking/trackingtest"
)

// Each read is consistent, and each write has a condition.
func TestTracking(t *testing.T) {
	t.Parallel()
	needDynamoDB(t)
	name, remove, err := servers.NewTable(t.Context(), &dynamo.TableOptions{Listed: tracking.Listed()})
	require.NoError(t, err)
	defer func() { require.NoError(t, remove(context.WithoutCancel(t.Context()))) }()
	o := servers.DynamoDB.Options()
	w := &tap{HTTPClient: o.HTTPClient}
	o.HTTPClient = w
	d, err := dynamo.New(dynamodb.New(o), name, nil)
	require.NoError(t, err)
	t.Run("suite", func(t *testing.T) { // returns after the parallel checks of the suite
		open := func(*testing.T) table.Driver { return d }
		trackingtest.Test(t, open, &trackingtest.Options{Lag: 10 * time.Second, Rounds: 1})
	})
	requests := w.takeRequests()
	require.Greater(t, len(requests), 1000)
	require.NotContains(t, requests, "Scan")
	require.NotContains(t, requests, "PutItem", "a write has no condition")
	require.NotContains(t, requests, "GetItem", "a read is not consistent")
}

func TestTransitionsUseOneConditionalWrite(t *testing.T) {
	t.Parallel()
	tr := newWireTracker(t, nil)
	ctx := t.Context()
	const read, write = "consistent read", "conditional write"
	requireRequests := func(what string, want ...string) {
		t.Helper()
		require.Equal(t, want, tr.tap.takeRequests(), what)
	}
	requireOK := func(_ any, err error) { t.Helper(); require.NoError(t, err) }

	s := tr.newSession(t)
	requireRequests("create", write)
	requireOK(tr.Observe(ctx, s, newArrival(t, s)))
	requireRequests("observe", read, write)
	requireOK(tr.Observe(ctx, s, newArrival(t, s)))
	requireRequests("observe again", read)
	start := func(st tracking.Stage) *tracking.Attempt {
		t.Helper()
		a, err := tr.Claim(ctx, s, st, &tracking.ClaimOptions{Key: "run"})
		require.NoError(t, err)
		requireRequests("start", read, write)
		return a
	}
	resume := func() *tracking.Attempt {
		t.Helper()
		a, err := tr.Claim(ctx, s, tracking.Enrichment, &tracking.ClaimOptions{Key: "run"})
		require.NoError(t, err)
		requireRequests("resume", read, write)
		return a
	}
	a := start(tracking.Enrichment)
	requireOK(nil, a.Heartbeat(ctx))
	requireRequests("heartbeat", write)
	requireOK(nil, a.Fail(ctx, errors.New("throttled")))
	requireRequests("fail", write)
	a = start(tracking.Enrichment)
	requireOK(nil, a.Release(ctx))
	requireRequests("release", write)
	a = resume()
	requireOK(nil, a.Park(ctx, 0))
	requireRequests("park", write)
	a = resume()

	// A conflict takes one more write and no read, since the response contains the record.
	scan := start(tracking.AVScan)
	requireOK(nil, a.Heartbeat(ctx))
	requireRequests("heartbeat after a write of another worker", write, write)
	requireOK(nil, scan.Complete(ctx, object.Ref{}))
	requireRequests("complete after a write of another worker", write, write)
	requireOK(nil, a.Complete(ctx, object.Ref{}))
	requireRequests("complete after a write of another worker", write, write)
	requireOK(nil, a.Complete(ctx, object.Ref{}))
	require.Empty(t, tr.tap.takeRequests(), "complete again")
	require.ErrorIs(t, a.Heartbeat(ctx), tracking.ErrFenced)
	require.Empty(t, tr.tap.takeRequests(), "heartbeat after the end")

	s = tr.newSession(t)
	requireRequests("create", write)
	requireOK(tr.Cancel(ctx, s))
	requireRequests("cancel", read, write)
	requireOK(tr.Cancel(ctx, s))
	requireRequests("cancel again", read)
	requireOK(tr.Get(ctx, s))
	requireRequests("get", read)
	_, err := tr.Claim(ctx, s, tracking.Enrichment, &tracking.ClaimOptions{Key: "run"})
	require.ErrorIs(t, err, tracking.ErrTerminal)
	requireRequests("claim of a terminal record", read)
	requireOK(tr.List(ctx, tr.user, tracking.Filter{Class: tracking.ClassFailed}))
	requireRequests("list of a class", "Query")
	requireOK(tr.Count(ctx, tr.user))
	requireRequests("count", "Query", "Query", "Query", "Query")
}

// An upload takes five writes if its extraction proves the arrival, and six if an event does. Each refinement takes two
// more writes.
func TestUploadTakesAFixedNumberOfWrites(t *testing.T) {
	t.Parallel()
	tr := newWireTracker(t, nil)
	ctx := t.Context()
	for refinements := range 3 {
		for _, event := range []bool{false, true} {
			s := tr.newSession(t)
			created, err := tr.Get(ctx, s)
			require.NoError(t, err)
			proof := newArrival(t, s)
			o := &tracking.ClaimOptions{Key: "run 1", Observed: &proof}
			if event {
				o.Observed = nil
				_, err := tr.Observe(ctx, s, proof)
				require.NoError(t, err)
			}
			a, err := tr.Claim(ctx, s, tracking.Enrichment, o)
			require.NoError(t, err)
			require.NoError(t, a.Park(ctx, 0))
			for n := range refinements {
				a, err = tr.Claim(ctx, s, tracking.Enrichment, &tracking.ClaimOptions{Key: fmt.Sprint("refine ", n)})
				require.NoError(t, err)
				require.NoError(t, a.Park(ctx, 0))
			}
			a, err = tr.Claim(ctx, s, tracking.Enrichment, &tracking.ClaimOptions{Key: "accept"})
			require.NoError(t, err)
			require.NoError(t, a.Complete(ctx, newArrival(t, s).Dest))
			want := 5 + 2*refinements
			if event {
				want++
			}
			requests := tr.tap.takeRequests()
			require.Equal(t, want, countWrites(requests), "%v", requests)
			r, err := tr.Get(ctx, s)
			require.NoError(t, err)
			require.Equal(t, tracking.StatusSuccess, r.Status)
			require.Equal(t, created.Version+int64(want)-1, r.Version)
			tr.tap.takeRequests()
		}
	}
}

// An unreadable row in each shard does not keep a sweep from the records of other tenants.
func TestSweepSkipsForgedRows(t *testing.T) {
	t.Parallel()
	tr := newWireTracker(t, nil)
	ctx := t.Context()
	for shard := range tracking.Shards {
		forged := attributes{
			"pk": stringValue(userOf(t, "globex", "u9").Partition()), "sk": stringValue(fmt.Sprint("x", shard)), "v": &types.AttributeValueMemberN{Value: "1"},
			"i3p": stringValue(scope.Shard("due-uploads", shard)), "i3s": stringValue("0"), "filename": &types.AttributeValueMemberSS{Value: []string{"a"}},
		}
		_, err := servers.DynamoDB.PutItem(ctx, &dynamodb.PutItemInput{TableName: &tr.name, Item: forged})
		require.NoError(t, err)
	}
	s := tr.newSession(t)
	later, err := tracking.New(tr.table, tracking.Uploads(), &tracking.Options{Clock: func() time.Time { return time.Now().Add(2 * time.Hour) }})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		_, err := later.Sweep(ctx, &tracking.SweepOptions{
			System: tr.table.System(),
			Look: func(context.Context, tracking.Record, tracking.Stage) (object.Ref, bool, error) {
				return object.Ref{}, false, nil
			},
		})
		require.NoError(t, err)
		r, err := tr.Get(ctx, s)
		return err == nil && r.Reason == "abandoned"
	}, time.Minute, 50*time.Millisecond)
}
