package files_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/intake/internal/files"
	"github.com/carrel-go/carrel/examples/intake/internal/kinds"
	"github.com/carrel-go/carrel/examples/intake/internal/profile"
	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tracking"
)

// fixture is a store with one file of ann.
type fixture struct {
	t           *testing.T
	store       *files.Store
	tracker     *tracking.Tracker
	bucket      *object.Bucket
	driver      *strictDriver
	ann, shared scope.Scope
	view        *files.View
	id          string
	session     scope.Scope
	attempt     *tracking.Attempt // of the run "run"
}

// strictDriver takes only bodies that can be sent again, as S3 does for large ones.
type strictDriver struct {
	object.Driver
	more int64 // bytes that a Stat adds to the size
}

func (d *strictDriver) Put(ctx context.Context, a object.Addr, r io.Reader, o object.PutOptions) (object.Info, error) {
	s, ok := r.(io.ReadSeeker)
	if !ok {
		return object.Info{}, object.ErrTooLarge
	}
	for range 2 { // the first time for a checksum
		if _, err := s.Seek(0, io.SeekStart); err != nil {
			return object.Info{}, err
		}
		if n, err := io.Copy(io.Discard, s); err != nil || o.Size > 0 && n != o.Size {
			return object.Info{}, errors.Join(err, object.ErrSize)
		}
	}
	if _, err := s.Seek(0, io.SeekStart); err != nil {
		return object.Info{}, err
	}
	return d.Driver.Put(ctx, a, s, o)
}

func (d *strictDriver) Stat(ctx context.Context, a object.Addr) (object.Info, error) {
	info, err := d.Driver.Stat(ctx, a)
	info.Size += d.more
	return info, err
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	tb, err := table.New(table.NewMemory(nil), nil)
	require.NoError(t, err)
	f := &fixture{t: t}
	f.driver = &strictDriver{Driver: object.NewMemory()}
	f.bucket, err = object.New(f.driver, "b", nil)
	require.NoError(t, err)
	f.tracker, err = tracking.New(tb, files.Pipeline(), nil)
	require.NoError(t, err)
	f.store, err = files.New(tb, f.bucket, f.tracker)
	require.NoError(t, err)
	tenant, err := scope.Tenant("acme")
	require.NoError(t, err)
	f.ann, err = tenant.User("ann")
	require.NoError(t, err)
	f.shared, err = tenant.Shared()
	require.NoError(t, err)
	f.view, err = f.store.Open(f.ann, f.shared)
	require.NoError(t, err)

	f.session, err = f.ann.NewSession()
	require.NoError(t, err)
	f.id = f.session.SessionID()
	_, err = f.tracker.Create(t.Context(), f.session, &tracking.CreateOptions{Filename: "a.csv", Due: time.Now().Add(time.Hour)})
	require.NoError(t, err)
	root, err := f.bucket.In(f.session)
	require.NoError(t, err)
	ref, err := root.Ref("a.csv")
	require.NoError(t, err)
	ref, _, err = root.Put(t.Context(), ref, strings.NewReader("sku\n1\n"), nil)
	require.NoError(t, err)
	_, err = f.tracker.Observe(t.Context(), f.session, tracking.Observation{Stage: tracking.UserUpload, Dest: ref})
	require.NoError(t, err)
	f.attempt, err = f.tracker.Claim(t.Context(), f.session, files.Profiled, &tracking.ClaimOptions{Key: "run"})
	require.NoError(t, err)
	return f
}

func report(columns ...string) *files.Report {
	r := &files.Report{Format: "csv"}
	for _, name := range columns {
		r.Profile.Columns = append(r.Profile.Columns, profile.Column{Name: name})
	}
	r.Profile.HasColumns = len(columns)
	return r
}

func statement(kind kinds.Kind) files.Statement {
	return files.Statement{Kind: kind, Summary: "s", Meanings: map[string]string{"sku": "article"}}
}

// profiled brings the file to where a person confirms it.
func (f *fixture) profiled() *files.Report {
	f.t.Helper()
	ctx := f.t.Context()
	_, err := f.view.Measure(ctx, f.id, "run", report("sku", "n"))
	require.NoError(f.t, err)
	r, err := f.view.Record(ctx, f.id, "run", statement(kinds.Inventory))
	require.NoError(f.t, err)
	require.NoError(f.t, f.attempt.Complete(ctx, object.Ref{}))
	return r
}

func TestAReportIsMeasuredAndRecordedOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ctx := t.Context()
	_, err := f.view.Record(ctx, f.id, "run", statement(kinds.Inventory))
	require.ErrorIs(t, err, files.ErrNotReady)
	first, err := f.view.Measure(ctx, f.id, "run", report("sku"))
	require.NoError(t, err)
	again, err := f.view.Measure(ctx, f.id, "run", report("other"))
	require.NoError(t, err)
	require.Equal(t, first, again)

	var wait sync.WaitGroup
	versions := make([]int64, 8)
	for i := range versions {
		wait.Go(func() {
			r, err := f.view.Record(ctx, f.id, "run", statement(kinds.Inventory))
			if err == nil {
				versions[i] = r.Version
			}
		})
	}
	wait.Wait()
	for _, v := range versions {
		require.Equal(t, first.Version+1, v)
	}
	_, err = f.view.Record(ctx, f.id, "run", statement(kinds.Shipments))
	require.ErrorIs(t, err, files.ErrChanged)
}

// Only the run that takes a file in writes its report, and only while it does.
func TestOtherRunsDoNotWriteReports(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ctx := t.Context()
	rejected := func(run string) {
		t.Helper()
		_, err := f.view.Measure(ctx, f.id, run, report("sku"))
		require.ErrorIs(t, err, files.ErrNotClaimed)
		_, err = f.view.Record(ctx, f.id, run, statement(kinds.Inventory))
		require.ErrorIs(t, err, files.ErrNotClaimed)
	}
	rejected("")
	rejected("another")
	got, err := f.view.Get(ctx, f.id)
	require.NoError(t, err)
	require.Nil(t, got.Report)
	f.profiled()
	rejected("run")
}

func TestOnePersonConfirmsTheReportThatTheySaw(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ctx := t.Context()
	_, err := f.view.Confirm(ctx, f.id, 1, files.Statement{})
	require.ErrorIs(t, err, files.ErrNotReady)
	r := f.profiled()
	for _, s := range []files.Statement{
		{Kind: "potatoes"}, {Meanings: map[string]string{"nowhere": "x"}}, {Meanings: map[string]string{"sku": strings.Repeat("x", 301)}},
		{Meanings: map[string]string{"sku": "\xff"}}, {Meanings: map[string]string{"sku": "a\x00"}},
		{Meanings: map[string]string{"sku": "\u202ea"}}, {Meanings: map[string]string{"sku": "a\u2066b"}},
	} {
		_, err = f.view.Confirm(ctx, f.id, r.Version, s)
		require.ErrorIs(t, err, files.ErrInvalid)
	}
	var wait sync.WaitGroup
	results := make([]error, 6)
	for i := range results {
		wait.Go(func() {
			s := files.Statement{Kind: kinds.All()[i], Meanings: map[string]string{"sku": "", "n": fmt.Sprint("amount ", i)}}
			_, results[i] = f.view.Confirm(ctx, f.id, r.Version, s)
		})
	}
	wait.Wait()
	won := 0
	for _, err := range results {
		if err == nil {
			won++
		} else {
			isLate := errors.Is(err, files.ErrChanged) || errors.Is(err, files.ErrConfirmed)
			require.True(t, isLate || errors.Is(err, tracking.ErrRunning) || errors.Is(err, tracking.ErrTerminal), err)
		}
	}
	require.Equal(t, 1, won)
	got, err := f.view.Get(ctx, f.id)
	require.NoError(t, err)
	require.True(t, got.Ended)
	require.True(t, got.Report.IsConfirmed())
	require.True(t, got.Report.Corrected)
	require.NotContains(t, got.Report.Meanings, "sku")
	same := files.Statement{Kind: got.Report.Kind, Meanings: map[string]string{"sku": "", "n": got.Report.Meanings["n"]}}
	for _, s := range []files.Statement{{}, same} {
		_, err = f.view.Confirm(ctx, f.id, got.Report.Version, s)
		require.NoError(t, err, "a repeated request of who has won")
	}
	_, err = f.view.Confirm(ctx, f.id, r.Version, same)
	require.ErrorIs(t, err, files.ErrConfirmed, "the version that was confirmed")
	for _, s := range []files.Statement{{Kind: kinds.Unknown}, {Meanings: map[string]string{"sku": "article"}}} {
		_, err = f.view.Confirm(ctx, f.id, got.Report.Version, s)
		require.ErrorIs(t, err, files.ErrConfirmed)
	}
	after, err := f.view.Get(ctx, f.id)
	require.NoError(t, err)
	require.Equal(t, got.Report, after.Report, "a confirmed report does not change")
}

func TestPlansAreKeptAndForgotten(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ctx := t.Context()
	m := presign.Multipart{ID: "u", Name: "a.csv", Type: "text/csv", Size: 9, PartSize: 5}
	require.NoError(t, f.view.StorePlan(ctx, f.id, m))
	require.Error(t, f.view.StorePlan(ctx, f.id, m), "once")
	got, err := f.view.Plan(ctx, f.id)
	require.NoError(t, err)
	require.Equal(t, m, got)
	f.profiled()
	for range 2 {
		require.NoError(t, f.store.Forget(ctx, f.session))
		_, err = f.view.Plan(ctx, f.id)
		require.ErrorIs(t, err, files.ErrNotFound)
	}
	file, err := f.view.Get(ctx, f.id)
	require.NoError(t, err)
	require.Nil(t, file.Report)
}

func TestPagesOfFiles(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for range 4 {
		session, err := f.ann.NewSession()
		require.NoError(t, err)
		_, err = f.tracker.Create(t.Context(), session, &tracking.CreateOptions{Filename: "b.csv", Due: time.Now().Add(time.Hour)})
		require.NoError(t, err)
	}
	seen := map[string]bool{}
	for cursor := ""; ; {
		page, err := f.view.List(t.Context(), cursor, 2)
		require.NoError(t, err)
		for _, file := range page.Files {
			require.False(t, seen[file.ID])
			seen[file.ID] = true
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	require.Len(t, seen, 5)
	_, err := f.view.List(t.Context(), "x", 2)
	require.ErrorIs(t, err, files.ErrInvalid)
}
