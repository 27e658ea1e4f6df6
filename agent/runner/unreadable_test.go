package runner_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/agenttest"
	"github.com/carrel-go/carrel/agent/history"
	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/sse"
	"github.com/carrel-go/carrel/sse/replay"
	"github.com/carrel-go/carrel/tools"
	"github.com/carrel-go/carrel/tools/approval"
	"github.com/carrel-go/carrel/tracking"
)

// deleteObjects deletes the objects of the session whose names begin with prefix, and returns their number.
func deleteObjects(t testing.TB, bucket *object.Bucket, session scope.Scope, prefix string) (n int) {
	t.Helper()
	root := must.Get(bucket.In(session))
	for ref, err := range root.List(t.Context()) {
		require.NoError(t, err)
		if strings.HasPrefix(ref.Name(), prefix) {
			require.NoError(t, root.Delete(t.Context(), ref))
			n++
		}
	}
	return n
}

// newProcessWithObjects returns a process whose requests, checkpoints and turns may be objects.
func newProcessWithObjects(t testing.TB, d table.Driver, host runner.Host, bucket *object.Bucket, o runner.Options) *process {
	t.Helper()
	tb := must.Get(table.New(d, nil))
	turns := must.Get(history.New(tb, &history.Options{Objects: bucket}))
	o.Objects = bucket
	return &process{must.Get(runner.New(tb, host, &o)), tb, turns}
}

// reading returns a tool with a result that does not fit an item.
func reading() *tools.Tool {
	type args struct{ Title string }
	return must.Get(tools.New("put_book", "Reads a book.", func(context.Context, *tools.Call, args) (string, error) {
		return strings.Repeat("page ", 90<<10), nil
	}))
}

// A run that is taken over ends, also if what it needs to continue has been deleted.
func TestARunEndsIfItsStoredStateIsGone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		prompt, lost string
		calls        int
		want         []string
	}{
		"request":    {strings.Repeat("long ", 2000), "run-", 0, []string{"run_started", "failed"}},
		"checkpoint": {"Read.", "run-", 2, []string{"run_started", "user_message", "failed"}},
		"media":      {"Look.", "cover", 0, []string{"run_started", "user_message", "step_started", "text_delta", "step_finished", "finished"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				bucket := must.Get(object.New(object.NewMemory(), "raw", nil))
				d, session := table.NewMemory(nil), newSession(t)
				q := runner.Request{Scope: session, Prompt: c.prompt}
				if c.lost == "cover" {
					root := must.Get(bucket.In(session))
					ref, _, err := root.Put(t.Context(), must.Get(root.Ref("cover.png")), strings.NewReader("x"), &object.PutOptions{Size: 1})
					require.NoError(t, err)
					q.Media = []tools.Media{{Format: "png", Object: ref}}
				}
				dying := newDoomed(d, 1<<30, 0)
				host := hostOf(t, slowly(10*time.Second, librarian(c.calls)), reading())
				a := newProcessWithObjects(t, dying, host, bucket, runner.Options{})
				b := newProcessWithObjects(t, d, host, bucket, runner.Options{})
				run, err := a.Start(t.Context(), q)
				require.NoError(t, err)
				<-time.After(time.Duration(5+45*c.calls) * time.Second) // the checkpoint before the second call has the first result
				dying.left.Store(0)
				require.Positive(t, deleteObjects(t, bucket, session, c.lost))
				defer b.watch(t)()
				events := tell(t, collect(t, b, session, run.ID))
				assert.Equal(t, c.want, types(events))
				if c.want[len(c.want)-1] == "failed" {
					assert.JSONEq(t, `{"type":"failed","code":"unreadable",
						"message":"The stored state of the run cannot be read.","retryable":false}`, last(events))
				}
				endsWithin(t, b, session, run.ID, time.Minute)
				next, err := b.Start(t.Context(), runner.Request{Scope: session, Prompt: "Go on."})
				require.NoError(t, err, "the session is usable")
				assert.NotEqual(t, run.ID, next.ID)
				a.shutDown(t)
			})
		})
	}
}

// A process that does not have the bucket of the stored objects says so at once. It does not look like an outage, in
// which other processes would try the run again and again.
func TestARunEndsIfTheBucketIsMissing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bucket := must.Get(object.New(object.NewMemory(), "raw", nil))
		d, session := table.NewMemory(nil), newSession(t)
		host := hostOf(t, librarian(1), reading())
		a := newProcessWithObjects(t, d, host, bucket, runner.Options{})
		first := must.Get(a.Start(t.Context(), runner.Request{Scope: session, Prompt: "Read."}))
		require.Contains(t, last(collect(t, a, session, first.ID)), "complete")
		a.shutDown(t)

		var logged bytes.Buffer
		b := newProcess(t, d, host, &runner.Options{Logger: slog.New(slog.NewTextHandler(&logged, nil))})
		defer b.watch(t)()
		begin := time.Now()
		run := must.Get(b.Start(t.Context(), runner.Request{Scope: session, Prompt: "Go on."}))
		assert.Contains(t, last(collect(t, b, session, run.ID)), `"code":"unreadable"`)
		assert.Less(t, time.Since(begin), 2*time.Second)
		b.shutDown(t)
		assert.Contains(t, logged.String(), "level=ERROR")
		assert.Contains(t, logged.String(), "Options.Objects is required")

		c := newProcessWithObjects(t, d, host, bucket, runner.Options{})
		next := must.Get(c.Start(t.Context(), runner.Request{Scope: session, Prompt: "Again."}))
		assert.Contains(t, last(collect(t, c, session, next.ID)), "complete", "nothing is lost")
		c.shutDown(t)
	})
}

// The turn of a checkpoint is in the history, also if the run that was taken over ends for another reason.
func TestARunThatEndsBeforeItContinuesKeepsItsTurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := table.NewMemory(nil)
		dying := newDoomed(d, 1<<30, 0)
		hook := &hooked{Driver: dying, put: func(_ context.Context, k table.Key, _ table.Row, do func() error) error {
			if strings.HasPrefix(k.Sort(), "turn#") {
				dying.left.Store(0) // killed between the checkpoint and the turn
			}
			return do()
		}}
		host := hostOf(t, slowly(time.Second, librarian(0)))
		a, b := newProcess(t, hook, host, nil), newProcess(t, d, host, nil)
		session := newSession(t)
		run, err := a.Start(t.Context(), runner.Request{Scope: session, Prompt: "Go."})
		require.NoError(t, err)
		<-time.After(10 * time.Second)
		require.NoError(t, b.Stop(t.Context(), session, run.ID))
		defer b.watch(t)()
		endsWithin(t, b, session, run.ID, time.Minute)
		_, head, err := b.turns.Load(t.Context(), session)
		require.NoError(t, err)
		assert.Equal(t, 1, head.Turns)
		a.shutDown(t)
	})
}

func TestADecidedRunEndsIfItsCheckpointIsGone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bucket := must.Get(object.New(object.NewMemory(), "raw", nil))
		d, session := table.NewMemory(nil), newSession(t)
		approvals := newApprovals(t, d)
		var lent []string
		lend := lending(t, approvals, &lent, "Emma")
		p := newProcessWithObjects(t, d, lend, bucket, runner.Options{Approvals: approvals})
		defer p.shutDown(t)
		run, err := p.Start(t.Context(), runner.Request{Scope: session, Prompt: strings.Repeat("long ", 90<<10)})
		require.NoError(t, err)
		events := collect(t, p, session, run.ID)
		require.Contains(t, last(events), "pending", last(events))
		p.shutDown(t)

		hook := &hooked{Driver: d, put: func(_ context.Context, k table.Key, _ table.Row, do func() error) error {
			if k.Sort() == "run#00000002" {
				deleteObjects(t, bucket, session, "run-")
			}
			return do()
		}}
		q := newProcessWithObjects(t, hook, lend, bucket, runner.Options{Approvals: approvals})
		next, err := q.Decide(t.Context(), session, run.ID, requests(t, events)[0], approval.Decision{Approve: true, By: "Ada"})
		require.NoError(t, err)
		assert.Contains(t, last(collect(t, q, session, next.ID)), `"code":"unreadable"`)
		assert.Equal(t, runner.StatusFailed, endsWithin(t, q, session, next.ID, time.Minute))
		assert.Empty(t, lent)
		q.shutDown(t)
	})
}

func TestARunEndsIfItsHistoryIsGone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bucket := must.Get(object.New(object.NewMemory(), "raw", nil))
		session := newSession(t)
		m := agenttest.Func(func(context.Context, *agent.Request) ([]agent.Delta, error) {
			return say(strings.Repeat("long ", 90<<10)), nil
		})
		p := newProcessWithObjects(t, table.NewMemory(nil), hostOf(t, m), bucket, runner.Options{})
		defer p.shutDown(t)
		run, err := p.Start(t.Context(), runner.Request{Scope: session, Prompt: "Go."})
		require.NoError(t, err)
		require.Equal(t, runner.StatusComplete, endsWithin(t, p, session, run.ID, time.Minute))
		require.Positive(t, deleteObjects(t, bucket, session, "turn-"))
		run, err = p.Start(t.Context(), runner.Request{Scope: session, Prompt: "Go on."})
		require.NoError(t, err)
		assert.Contains(t, last(collect(t, p, session, run.ID)), `"code":"unreadable"`)
	})
}

// A conversation that is damaged in the table is not an outage: its run is not repeated by every process until it is lost.
func TestARunEndsAtOnceIfItsHistoryIsDamaged(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(t *testing.T, view *table.View){
		"missing turn": func(t *testing.T, view *table.View) {
			t.Helper()
			it := must.Get(view.Get(t.Context(), "turn#000001"))
			require.NoError(t, view.Delete(t.Context(), it.Sort, table.Version(it.Version)))
		},
		"foreign turn": func(t *testing.T, view *table.View) {
			t.Helper()
			it := must.Get(view.Get(t.Context(), "turn#000001"))
			it.Attr["content"] = "{"
			must.Get(view.Put(t.Context(), it, table.Version(it.Version)))
		},
		"foreign marker": func(t *testing.T, view *table.View) {
			t.Helper()
			it := must.Get(view.Get(t.Context(), "history"))
			it.Index = nil
			must.Get(view.Put(t.Context(), it, table.Version(it.Version)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d, session := table.NewMemory(nil), newSession(t)
				tb := must.Get(table.New(d, nil))
				turns := must.Get(history.New(tb, &history.Options{Retention: 24 * time.Hour}))
				p := newProcess(t, d, hostOf(t, librarian(0)), &runner.Options{Turns: turns})
				defer p.shutDown(t)
				stop := p.watch(t)
				defer stop()
				for range 2 { // a gap is between two turns
					run, err := p.Start(t.Context(), runner.Request{Scope: session, Prompt: "Go."})
					require.NoError(t, err)
					require.Equal(t, runner.StatusComplete, endsWithin(t, p, session, run.ID, time.Minute))
				}
				damage(t, must.Get(tb.In(session)))
				begin := time.Now()
				run, err := p.Start(t.Context(), runner.Request{Scope: session, Prompt: "Go on."})
				require.NoError(t, err)
				assert.JSONEq(t, `{"type":"failed","code":"unreadable","message":"The stored state of the run cannot be read.","retryable":false}`,
					last(collect(t, p, session, run.ID)))
				assert.Less(t, time.Since(begin), 5*time.Second)
			})
		})
	}
}

// A run whose log no process can open is not taken over for ever.
func TestARunEndsIfItsLogCannotBeOpened(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]table.Item{
		"foreign item":    {Sort: "log#00000001#x"},
		"damaged segment": {Sort: "log#00000001#000000000900", Attr: map[string]table.Value{"writer": "x", "events": "{}"}},
		"last segment":    {Sort: "log#00000001#999999999999", Attr: map[string]table.Value{"writer": "x", "events": "{}\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := table.NewMemory(nil)
				tr, session := newUpload(t, d, tracking.Uploads())
				dying := newDoomed(d, 1<<30, 0)
				host := stagedHost(t, d, tracking.Uploads(), slowly(10*time.Second, librarian(0)))
				a, b := newProcess(t, dying, host, nil), newProcess(t, d, host, nil)
				run, err := a.Start(t.Context(), runner.Request{Scope: session, Prompt: "Hello?"})
				require.NoError(t, err)
				<-time.After(5 * time.Second)
				dying.left.Store(0)
				view := must.Get(b.table.In(session))
				_, err = view.Put(t.Context(), damage, table.Absent())
				require.NoError(t, err)
				defer b.watch(t)()
				<-time.After(20 * time.Second)
				head := must.Get(view.Get(t.Context(), "run#00000001"))
				require.Equal(t, "running", head.Attr["status"], "others may open the log")

				<-time.After(5 * time.Minute)
				got, err := b.Get(t.Context(), session, run.ID)
				require.NoError(t, err)
				assert.Equal(t, runner.StatusFailed, got.Status)
				rec, err := tr.Get(t.Context(), session)
				require.NoError(t, err)
				assert.Equal(t, tracking.StateWaiting, rec.Stage(tracking.Enrichment).State, "the stage has ended")
				require.Error(t, readLog(t, b, session, run.ID))
				it := must.Get(view.Get(t.Context(), damage.Sort))
				require.NoError(t, view.Delete(t.Context(), damage.Sort, table.Version(it.Version)))
				require.ErrorIs(t, readLog(t, b, session, run.ID), sse.ErrExpired, "readers do not wait")
				next, err := b.Start(t.Context(), runner.Request{Scope: session, Prompt: "Go on."})
				require.NoError(t, err, "the session is usable")
				assert.Contains(t, last(collect(t, b, session, next.ID)), "complete")
				a.shutDown(t)
			})
		})
	}
}

// readLog returns the error with which the events of a run end within a minute.
func readLog(t *testing.T, p *process, session scope.Scope, id string) (err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, err = range p.Events(ctx, session, id, "") {
	}
	require.NotErrorIs(t, err, context.DeadlineExceeded)
	return err
}

// A log whose last event is not one of a run ends its run as failed.
func TestARunEndsIfItsLastEventIsForeign(t *testing.T) {
	t.Parallel()
	for _, end := range []string{`{"type":"finished","outcome":"running"}`, `{"type":"finished","outcome":7}`} {
		synctest.Test(t, func(t *testing.T) {
			d, session := table.NewMemory(nil), newSession(t)
			dying := newDoomed(d, 1<<30, 0)
			host := hostOf(t, slowly(10*time.Second, librarian(0)))
			a, b := newProcess(t, dying, host, nil), newProcess(t, d, host, nil)
			_, err := a.Start(t.Context(), runner.Request{Scope: session, Prompt: "Hello?"})
			require.NoError(t, err)
			<-time.After(5 * time.Second)
			dying.left.Store(0)
			log := must.Get(must.Get(replay.New(b.table, nil)).Open(t.Context(), session, "00000001"))
			require.NoError(t, log.Finish(t.Context(), json.RawMessage(end)))
			defer b.watch(t)()
			<-time.After(time.Minute)
			it := must.Get(must.Get(b.table.In(session)).Get(t.Context(), "run#00000001"))
			assert.Equal(t, "failed", it.Attr["status"])
			_, err = b.Start(t.Context(), runner.Request{Scope: session, Prompt: "Go on."})
			require.NoError(t, err, "the session is usable")
			a.shutDown(t)
		})
	}
}
