package arrivals_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/presign/arrivals"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tracking"
)

// bundle is a Recorder over drivers in memory.
type bundle struct {
	t        *testing.T
	recorder *arrivals.Recorder
	tracker  *tracking.Tracker
	landing  *object.Bucket
	table    *table.Table
	rows     *counting
	objects  *failingStore
	signer   *presign.Signer
	options  arrivals.Options
	grants   closedGrants
	gone     []scope.Scope // sessions that were forgotten
	user     scope.Scope
	refused  refusals
	log      lines
}

func newBundle(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{t: t, rows: &counting{Driver: table.NewMemory(nil)}, objects: &failingStore{Driver: object.NewMemory()}}
	b.landing = must.Get(object.New(b.objects, "landing", nil))
	client := s3.New(s3.Options{Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("id", "secret", "")})
	signer, err := presign.New(client, b.landing, &presign.Options{Audit: &b.refused})
	require.NoError(t, err)
	b.table = must.Get(table.New(b.rows, nil))
	b.tracker, err = tracking.New(b.table, tracking.Uploads(), &tracking.Options{Retention: retention})
	require.NoError(t, err)
	b.signer, b.options = signer, arrivals.Options{
		MaxSize: maxSize, CloseGrant: b.grants.close, Forget: b.forget,
		Audit: &b.refused, Log: slog.New(slog.NewTextHandler(&b.log, nil)),
	}
	b.recorder = b.newRecorder(nil)
	tenant, err := scope.Tenant("acme")
	require.NoError(t, err)
	b.user, err = tenant.User("u1")
	require.NoError(t, err)
	return b
}

// newRecorder returns another Recorder with changed options.
func (b *bundle) newRecorder(change func(*arrivals.Options)) *arrivals.Recorder {
	b.t.Helper()
	o := b.options
	if change != nil {
		change(&o)
	}
	r, err := arrivals.New(b.table, b.landing, b.signer, b.tracker, &o)
	require.NoError(b.t, err)
	return r
}

const (
	maxSize   = 1 << 20 // bytes
	retention = 90 * 24 * time.Hour
)

// forget collects the sessions that were forgotten.
func (b *bundle) forget(_ context.Context, session scope.Scope) error {
	b.gone = append(b.gone, session)
	return nil
}

// closedGrants collects the sessions whose grants were closed.
type closedGrants struct {
	mu  sync.Mutex
	all []scope.Scope
}

func (c *closedGrants) close(_ context.Context, session scope.Scope) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, session)
	return nil
}

// counting counts the queries and the writes that took place.
type counting struct {
	table.Driver
	puts    atomic.Int64
	gets    atomic.Int64
	queries atomic.Int64
	broken  atomic.Bool  // for writes
	unread  atomic.Bool  // broken for reads
	last    atomic.Int64 // if positive: writes fail once there were so many
}

func (c *counting) Query(ctx context.Context, q table.DriverQuery) (table.DriverPage, error) {
	c.queries.Add(1)
	return c.Driver.Query(ctx, q)
}

func (c *counting) Get(ctx context.Context, k table.Key) (table.Row, error) {
	c.gets.Add(1)
	if c.unread.Load() {
		return table.Row{}, errors.New("throttled")
	}
	return c.Driver.Get(ctx, k)
}

func (c *counting) Put(ctx context.Context, k table.Key, r table.Row, cond table.Cond) error {
	if last := c.last.Load(); c.broken.Load() || last > 0 && c.puts.Load() >= last {
		return errors.New("throttled")
	}
	err := c.Driver.Put(ctx, k, r, cond)
	if err == nil {
		c.puts.Add(1)
	}
	return err
}

// failingStore is a store that can fail.
type failingStore struct {
	object.Driver
	broken    atomic.Bool
	afterStat func() // called once, after the next Stat; may be nil
}

func (s *failingStore) Stat(ctx context.Context, addr object.Addr) (object.Info, error) {
	if s.broken.Load() {
		return object.Info{}, errors.New("503 slow down")
	}
	info, err := s.Driver.Stat(ctx, addr)
	if f := s.afterStat; f != nil {
		s.afterStat = nil
		f()
	}
	return info, err
}

type refusals struct {
	mu  sync.Mutex
	all []scope.Refusal
}

func (r *refusals) Refused(_ context.Context, x scope.Refusal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, x)
}

func (r *refusals) take() []scope.Refusal {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := r.all
	r.all = nil
	return all
}

type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// granted makes a session with a record that waits for the file, until due.
func (b *bundle) granted(name string, due time.Duration) scope.Scope {
	b.t.Helper()
	session, err := b.user.NewSession()
	require.NoError(b.t, err)
	_, err = b.tracker.Create(b.t.Context(), session, &tracking.CreateOptions{Filename: name, Due: time.Now().Add(due)})
	require.NoError(b.t, err)
	return session
}

func (b *bundle) put(s scope.Scope, name string, size int) {
	b.t.Helper()
	root, err := b.landing.In(s)
	require.NoError(b.t, err)
	ref, err := root.Ref(name)
	require.NoError(b.t, err)
	_, _, err = root.Put(b.t.Context(), ref, io.LimitReader(zeros{}, int64(size)), &object.PutOptions{Size: int64(size), Overwrite: true})
	require.NoError(b.t, err)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func (b *bundle) stage(s scope.Scope) tracking.Progress {
	b.t.Helper()
	rec, err := b.tracker.Get(b.t.Context(), s)
	require.NoError(b.t, err)
	return rec.Stage(tracking.UserUpload)
}

// notification returns the message of S3 about these objects.
func notification(t *testing.T, objects ...[2]string) []byte {
	t.Helper()
	var records []any
	for _, o := range objects {
		records = append(records, map[string]any{
			"eventVersion": "2.1", "eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "eventTime": "2026-01-02T03:04:05.678Z",
			"s3": map[string]any{
				"bucket": map[string]any{"name": "landing"},
				"object": map[string]any{"key": url.QueryEscape(o[0] + o[1]), "size": 1, "eTag": "0123456789abcdef", "sequencer": "0055AED6DCD90281E5"},
			},
		})
	}
	raw, err := json.Marshal(map[string]any{"Records": records})
	require.NoError(t, err)
	return raw
}
