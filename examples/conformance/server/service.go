package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/scope/table/bolt"
	"github.com/carrel-go/carrel/sse/replay"
	"github.com/carrel-go/carrel/tools"
	"github.com/carrel-go/carrel/tools/approval"
)

// service holds the runs that the routes serve.
type service struct {
	table *table.Table
	runs  *runner.Runner
	drain context.Context
	close func() error
	began atomic.Int64 // runs that this process has started or continued
}

// open opens the service on a directory, and continues the runs of a process that was killed.
func open(ctx context.Context, dir string, pace time.Duration) (*service, error) {
	rows, err := bolt.Open(dir)
	if err != nil {
		return nil, err
	}
	s := &service{drain: ctx, close: rows.Close}
	if err := s.build(rows, pace); err != nil {
		return nil, errors.Join(err, rows.Close())
	}
	go s.runs.Watch(ctx, s.table.System())
	return s, nil
}

func (s *service) build(rows table.Driver, pace time.Duration) (err error) {
	if s.table, err = table.New(rows, nil); err != nil {
		return err
	}
	logs, err := replay.New(s.table, &replay.Options{Merge: runner.MergeDeltas, Commit: 20 * time.Millisecond})
	if err != nil {
		return err
	}
	approvals, err := approval.New(s.table, nil)
	if err != nil {
		return err
	}
	set, err := s.newTools(approvals, pace)
	if err != nil {
		return err
	}
	a, err := agent.New(&model{pace}, &agent.Options{Tools: set})
	if err != nil {
		return err
	}
	host := runner.Host{
		Agent: func(context.Context, *runner.Run) (*agent.Agent, error) {
			s.began.Add(1)
			return a, nil
		},
		Custom: reportBooks,
	}
	s.runs, err = runner.New(s.table, host, &runner.Options{
		Logs: logs, Approvals: approvals, Lease: time.Second, Heartbeat: 100 * time.Millisecond,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	return err
}

// reportBooks adds an event of the service for each book that was found.
func reportBooks(_ context.Context, _ *runner.Run, ev agent.Event) ([]runner.Custom, error) {
	done, ok := ev.(agent.ToolDone)
	if !ok || done.Name != "find" || done.Result.IsError {
		return nil, nil
	}
	return []runner.Custom{{Name: "found", Value: done.Result.Blocks[0].JSON}}, nil
}

type (
	findIn struct {
		Title string `json:"title"`
	}
	findOut struct {
		Title string `json:"title"`
		Pages int    `json:"pages"`
	}
	lendIn struct {
		Title string `json:"title"`
	}
)

func (s *service) newTools(approvals *approval.Approvals, pace time.Duration) (tools.Set, error) {
	find, err := tools.New("find", "Finds a book.", func(ctx context.Context, c *tools.Call, in findIn) (findOut, error) {
		c.Progress(map[string]any{"found": 0.5})
		select {
		case <-time.After(4 * pace):
		case <-ctx.Done():
			return findOut{}, context.Cause(ctx)
		}
		return findOut{in.Title, 100 + len(in.Title)}, nil
	})
	if err != nil {
		return tools.Set{}, err
	}
	lend, err := tools.New("lend", "Lends a book.", s.lend, approvals.Require(nil))
	return tools.Of(find, lend), err
}

const loanPrefix, loanEnd = "loan#", "loan$"

// lend records a loan once for each idempotency key.
func (s *service) lend(ctx context.Context, c *tools.Call, in lendIn) (string, error) {
	session, err := s.table.In(c.Scope())
	if err != nil {
		return "", err
	}
	it := table.Item{Sort: loanPrefix + c.IdempotencyKey(), Attr: map[string]table.Value{"title": in.Title}}
	if _, err := session.Put(ctx, it, table.Absent()); err != nil {
		if _, ok := errors.AsType[*table.ConflictError](err); !ok {
			return "", err
		}
	}
	return "lent " + in.Title, nil
}
