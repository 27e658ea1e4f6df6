package integration_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/scope/table/dynamo"
	"github.com/carrel-go/carrel/tracking"
	"github.com/carrel-go/carrel/tracking/trackingtest"
)

// sent is a request that went over the wire.
type sent struct {
	op         string
	Consistent bool   `json:"ConsistentRead"`
	Condition  string `json:"ConditionExpression"`
}

func (r sent) String() string {
	switch {
	case r.op == "GetItem" && r.Consistent:
		return "consistent read"
	case r.op == "PutItem" && r.Condition != "":
		return "conditional write"
	}
	return r.op
}

// tap notes the requests that go over it.
type tap struct {
	dynamodb.HTTPClient
	mu  sync.Mutex
	was []string
}

func (w *tap) Do(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	var q sent
	if err := json.Unmarshal(body, &q); err != nil {
		return nil, err
	}
	_, q.op, _ = strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	w.mu.Lock()
	w.was = append(w.was, q.String())
	w.mu.Unlock()
	return w.HTTPClient.Do(r)
}

func (w *tap) took() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	was := w.was
	w.was = nil
	return was
}

// writes returns how many of what went over were writes.
func writes(was []string) (n int) {
	for _, w := range was {
		if w != "consistent read" && w != "Query" {
			n++
		}
	}
	return n
}

// tracked is a tracker on a separate table, with its requests on the wire.
type tracked struct {
	*tracking.Tracker
	name  string // of the table
	tap   *tap
	table *table.Table
	user  scope.Scope
}

func newTracked(t testing.TB, o *tracking.Options) *tracked {
	t.Helper()
	if servers.DynamoDB == nil {
		t.Skip(servers.NotRun())
	}
	name, remove, err := servers.NewTable(context.Background(), &dynamo.TableOptions{Listed: tracking.Listed()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, remove(context.Background())) })
	options := servers.DynamoDB.Options()
	tr := &tracked{name: name, tap: &tap{HTTPClient: options.HTTPClient}}
	options.HTTPClient = tr.tap
	d, err := dynamo.New(dynamodb.New(options), name, nil)
	require.NoError(t, err)
	tr.table = must.Get(table.New(d, nil))
	tr.Tracker, err = tracking.New(tr.table, tracking.Uploads(), o)
	require.NoError(t, err)
	tr.user = userOf(t, "acme", "u1")
	return tr
}

func userOf(t testing.TB, tenant, user string) scope.Scope {
	t.Helper()
	s, err := scope.Tenant(tenant)
	require.NoError(t, err)
	s, err = s.User(user)
	require.NoError(t, err)
	return s
}

// session makes the record of another session.
func (tr *tracked) session(t testing.TB) scope.Scope {
	t.Helper()
	s, err := tr.user.NewSession()
	require.NoError(t, err)
	_, err = tr.Create(t.Context(), s, &tracking.CreateOptions{Filename: "cover.jpg"})
	require.NoError(t, err)
	return s
}

func arrival(t testing.TB, s scope.Scope) tracking.Observation {
	t.Helper()
	root, err := must.Get(object.New(object.NewMemory(), "landing", nil)).In(s)
	require.NoError(t, err)
	ref, err := root.Ref("cover.jpg")
	require.NoError(t, err)
	return tracking.Observation{Stage: tracking.UserUpload, Dest: ref}
}

// The properties of trackingtest, on DynamoDB.
func TestTracking(t *testing.T) {
	needDynamoDB(t)
	name, remove, err := servers.NewTable(t.Context(), &dynamo.TableOptions{Listed: tracking.Listed()})
	require.NoError(t, err)
	defer func() { require.NoError(t, remove(context.WithoutCancel(t.Context()))) }()
	o := servers.DynamoDB.Options()
	w := &tap{HTTPClient: o.HTTPClient}
	o.HTTPClient = w
	d, err := dynamo.New(dynamodb.New(o), name, nil)
	require.NoError(t, err)
	t.Run("suite", func(t *testing.T) { // ends with its parallel checks
		open := func(*testing.T) table.Driver { return d }
		trackingtest.Test(t, open, &trackingtest.Options{Lag: 10 * time.Second, Rounds: 1})
	})
	was := w.took()
	require.Greater(t, len(was), 1000)
	require.NotContains(t, was, "Scan")
	require.NotContains(t, was, "PutItem", "every write has a condition")
	require.NotContains(t, was, "GetItem", "every read is consistent")
}

// The number of requests of each transition, counted on the wire.
func TestTrackingAtTheWire(t *testing.T) {
	tr := newTracked(t, nil)
	ctx := t.Context()
	const read, write = "consistent read", "conditional write"
	is := func(what string, want ...string) {
		t.Helper()
		require.Equal(t, want, tr.tap.took(), what)
	}
	must := func(_ any, err error) { t.Helper(); require.NoError(t, err) }

	s := tr.session(t)
	is("create", write)
	must(tr.Observe(ctx, s, arrival(t, s)))
	is("observe", read, write)
	must(tr.Observe(ctx, s, arrival(t, s)))
	is("observe, again", read)
	start := func(st tracking.Stage) *tracking.Attempt {
		t.Helper()
		a, err := tr.Claim(ctx, s, st, &tracking.ClaimOptions{Key: "run"})
		require.NoError(t, err)
		is("start", read, write)
		return a
	}
	resume := func() *tracking.Attempt {
		t.Helper()
		a, err := tr.Claim(ctx, s, tracking.Enrichment, &tracking.ClaimOptions{Key: "run"})
		require.NoError(t, err)
		is("resume", read, write)
		return a
	}
	a := start(tracking.Enrichment)
	must(nil, a.Heartbeat(ctx))
	is("heartbeat", write)
	must(nil, a.Fail(ctx, errors.New("throttled")))
	is("fail", write)
	a = start(tracking.Enrichment)
	must(nil, a.Release(ctx))
	is("release", write)
	a = resume()
	must(nil, a.Park(ctx, 0))
	is("park", write)
	a = resume()

	// A conflict costs one more write and no read: its answer brings the record along.
	scan := start(tracking.AVScan)
	must(nil, a.Heartbeat(ctx))
	is("heartbeat after another's write", write, write)
	must(nil, scan.Complete(ctx, object.Ref{}))
	is("complete after another's write", write, write)
	must(nil, a.Complete(ctx, object.Ref{}))
	is("complete after another's write", write, write)
	must(nil, a.Complete(ctx, object.Ref{}))
	require.Empty(t, tr.tap.took(), "complete, again")
	require.ErrorIs(t, a.Heartbeat(ctx), tracking.ErrFenced)
	require.Empty(t, tr.tap.took(), "a heartbeat after the end")

	s = tr.session(t)
	is("create", write)
	must(tr.Cancel(ctx, s))
	is("cancel", read, write)
	must(tr.Cancel(ctx, s))
	is("cancel, again", read)
	must(tr.Get(ctx, s))
	is("get", read)
	_, err := tr.Claim(ctx, s, tracking.Enrichment, &tracking.ClaimOptions{Key: "run"})
	require.ErrorIs(t, err, tracking.ErrTerminal)
	is("a refusal", read)
	must(tr.List(ctx, tr.user, tracking.Filter{Class: tracking.ClassFailed}))
	is("list of a class", "Query")
	must(tr.Count(ctx, tr.user))
	is("count", "Query", "Query", "Query", "Query")
}

// An upload's whole life in the article's two active stages: five writes where its extraction proves the arrival, six
// where an event does, and two more a refinement.
func TestWritesALife(t *testing.T) {
	tr := newTracked(t, nil)
	ctx := t.Context()
	for refinements := range 3 {
		for _, event := range []bool{false, true} {
			s := tr.session(t)
			proof := arrival(t, s)
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
			require.NoError(t, a.Complete(ctx, arrival(t, s).Dest))
			want := 5 + 2*refinements
			if event {
				want++
			}
			was := tr.tap.took()
			require.Equal(t, want, writes(was), "%v", was)
			r, err := tr.Get(ctx, s)
			require.NoError(t, err)
			require.Equal(t, tracking.StatusSuccess, r.Status)
			require.EqualValues(t, want, r.Version)
			tr.tap.took()
		}
	}
}

// 64 workers race for a stage, three times. One wins, the others get the reason, and nothing is lost.
func TestTrackingRace(t *testing.T) {
	tr := newTracked(t, nil)
	ctx := t.Context()
	s := tr.session(t)
	_, err := tr.Observe(ctx, s, arrival(t, s))
	require.NoError(t, err)
	now := time.Now()
	for attempt := 1; attempt <= 3; attempt++ {
		// Each time all leases are dead: the clocks go ahead.
		at := now.Add(time.Duration(attempt) * time.Hour)
		late, err := tracking.New(tr.table, tracking.Uploads(), &tracking.Options{Clock: func() time.Time { return at }})
		require.NoError(t, err)
		won := make([]*tracking.Attempt, 64)
		errs := make([]error, len(won))
		begin := make(chan struct{})
		var wg sync.WaitGroup
		for i := range won {
			wg.Go(func() {
				<-begin
				won[i], errs[i] = late.Claim(ctx, s, tracking.Enrichment, &tracking.ClaimOptions{Key: fmt.Sprint("worker ", i)})
			})
		}
		close(begin)
		wg.Wait()
		var winner *tracking.Attempt
		for i, err := range errs {
			if err == nil {
				require.Nil(t, winner, "two have won")
				winner = won[i]
				continue
			}
			require.ErrorIs(t, err, tracking.ErrRunning)
			refused, ok := errors.AsType[*tracking.StateError](err)
			require.True(t, ok)
			require.NotEmpty(t, refused.Record.Stage(tracking.Enrichment).Key, "whose it is")
		}
		require.NotNil(t, winner)
		r, err := tr.Get(ctx, s)
		require.NoError(t, err)
		require.EqualValues(t, 2+attempt, r.Version, "one write")
		require.Equal(t, attempt, r.Stage(tracking.Enrichment).Attempt)
		require.Equal(t, winner.Fence(), r.Stage(tracking.Enrichment).Fence)
	}

	// Writers of three stages of one record: each reported change has happened exactly once.
	var wg sync.WaitGroup
	errs := make([]error, 3)
	s = tr.session(t)
	_, err = tr.Observe(ctx, s, arrival(t, s))
	require.NoError(t, err)
	for i, st := range []tracking.Stage{tracking.Enrichment, tracking.Routing, tracking.AVScan} {
		wg.Go(func() {
			var a *tracking.Attempt
			errs[i] = calmly(func() (err error) {
				a, err = tr.Claim(ctx, s, st, &tracking.ClaimOptions{Key: "run"})
				return err
			})
			for range 20 {
				if errs[i] == nil {
					errs[i] = calmly(func() error { return a.Heartbeat(ctx) })
				}
			}
		})
	}
	wg.Wait()
	require.NoError(t, errors.Join(errs...))
	r, err := tr.Get(ctx, s)
	require.NoError(t, err)
	require.EqualValues(t, 2+3*21, r.Version)
}

// calmly tries again what was not done because the record changed too fast.
func calmly(f func() error) error {
	for {
		if err := f(); !errors.Is(err, tracking.ErrContended) {
			return err
		}
	}
}

// A worker that was paused past its lease changes nothing when it wakes.
func TestTrackingPaused(t *testing.T) {
	tr := newTracked(t, nil)
	ctx := t.Context()
	s := tr.session(t)
	_, err := tr.Observe(ctx, s, arrival(t, s))
	require.NoError(t, err)
	paused, err := tr.Claim(ctx, s, tracking.Enrichment, &tracking.ClaimOptions{Key: "paused"})
	require.NoError(t, err)
	later := func() time.Time { return time.Now().Add(time.Minute) }
	other, err := tracking.New(tr.table, tracking.Uploads(), &tracking.Options{Clock: later})
	require.NoError(t, err)
	a, err := other.Claim(ctx, s, tracking.Enrichment, &tracking.ClaimOptions{Key: "other"})
	require.NoError(t, err)
	for range 2 { // while the other works, and when it is done
		before, err := tr.Get(ctx, s)
		require.NoError(t, err)
		for name, do := range map[string]func() error{
			"heartbeat": func() error { return paused.Heartbeat(ctx) },
			"complete":  func() error { return paused.Complete(ctx, object.Ref{}) },
			"fail":      func() error { return paused.Fail(ctx, errors.New("x")) },
			"park":      func() error { return paused.Park(ctx, 0) },
			"release":   func() error { return paused.Release(ctx) },
		} {
			require.ErrorIs(t, do(), tracking.ErrFenced, name)
		}
		after, err := tr.Get(ctx, s)
		require.NoError(t, err)
		require.Equal(t, before, after)
		require.NoError(t, a.Complete(ctx, object.Ref{}))
	}
}

// A row that somebody has put into every shard, and that nobody can read, keeps no sweep from the records of others.
func TestSweepPastForgedRows(t *testing.T) {
	tr := newTracked(t, nil)
	ctx := t.Context()
	for shard := range tracking.Shards {
		forged := attributes{
			"pk": str(userOf(t, "globex", "u9").Partition()), "sk": str(fmt.Sprint("x", shard)), "v": &types.AttributeValueMemberN{Value: "1"},
			"i3p": str(scope.Shard("due-uploads", shard)), "i3s": str("0"), "filename": &types.AttributeValueMemberSS{Value: []string{"a"}},
		}
		_, err := servers.DynamoDB.PutItem(ctx, &dynamodb.PutItemInput{TableName: &tr.name, Item: forged})
		require.NoError(t, err)
	}
	s := tr.session(t)
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
	}, 10*time.Second, 50*time.Millisecond)
}
