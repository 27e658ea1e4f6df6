package arrivals_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/arrivals"
	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tracking"
)

// office is a desk over drivers in memory.
type office struct {
	t       *testing.T
	desk    *arrivals.Desk
	tracker *tracking.Tracker
	landing *object.Bucket
	table   *table.Table
	rows    *counting
	objects *away
	grants  closed
	gone    []scope.Scope // sessions that were forgotten
	user    scope.Scope
	refused refusals
	log     lines
}

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{t: t, rows: &counting{Driver: table.NewMemory(nil)}, objects: &away{Driver: object.NewMemory()}}
	o.landing = must.Get(object.New(o.objects, "landing", nil))
	client := s3.New(s3.Options{Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("id", "secret", "")})
	signer, err := presign.New(client, o.landing, &presign.Options{Audit: &o.refused})
	require.NoError(t, err)
	o.table = must.Get(table.New(o.rows, nil))
	o.tracker, err = tracking.New(o.table, tracking.Uploads(), &tracking.Options{Retention: retention})
	require.NoError(t, err)
	o.desk = arrivals.New(o.table, o.landing, signer, o.tracker, &arrivals.Options{
		MaxSize: maxSize, Grants: &o.grants, Retention: retention, Forget: o.forget,
		Audit: &o.refused, Log: slog.New(slog.NewTextHandler(&o.log, nil)),
	})
	tenant, err := scope.Tenant("acme")
	require.NoError(t, err)
	o.user, err = tenant.User("u1")
	require.NoError(t, err)
	return o
}

const (
	maxSize   = 1 << 20 // bytes
	retention = 90 * 24 * time.Hour
)

// forget notes whose session is gone.
func (o *office) forget(_ context.Context, session scope.Scope) error {
	o.gone = append(o.gone, session)
	return nil
}

// closed keeps whose grants were closed.
type closed struct {
	mu  sync.Mutex
	all []scope.Scope
}

func (c *closed) CloseGrant(_ context.Context, session scope.Scope) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, session)
	return nil
}

// counting counts the writes that took place.
type counting struct {
	table.Driver
	puts   atomic.Int64
	broken atomic.Bool // for writes
	unread atomic.Bool // broken for reads
}

func (c *counting) Get(ctx context.Context, k table.Key) (table.Row, error) {
	if c.unread.Load() {
		return table.Row{}, errors.New("throttled")
	}
	return c.Driver.Get(ctx, k)
}

func (c *counting) Put(ctx context.Context, k table.Key, r table.Row, cond table.Cond) error {
	if c.broken.Load() {
		return errors.New("throttled")
	}
	err := c.Driver.Put(ctx, k, r, cond)
	if err == nil {
		c.puts.Add(1)
	}
	return err
}

// away is a store that can be out of reach.
type away struct {
	object.Driver
	broken atomic.Bool
}

func (a *away) Stat(ctx context.Context, addr object.Addr) (object.Info, error) {
	if a.broken.Load() {
		return object.Info{}, errors.New("503 slow down")
	}
	return a.Driver.Stat(ctx, addr)
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
func (o *office) granted(name string, due time.Duration) scope.Scope {
	o.t.Helper()
	session, err := o.user.NewSession()
	require.NoError(o.t, err)
	_, err = o.tracker.Create(o.t.Context(), session, &tracking.CreateOptions{Filename: name, Due: time.Now().Add(due)})
	require.NoError(o.t, err)
	return session
}

func (o *office) put(s scope.Scope, name string, size int) {
	o.t.Helper()
	root, err := o.landing.In(s)
	require.NoError(o.t, err)
	ref, err := root.Ref(name)
	require.NoError(o.t, err)
	_, _, err = root.Put(o.t.Context(), ref, io.LimitReader(zeros{}, int64(size)), &object.PutOptions{Size: int64(size)})
	require.NoError(o.t, err)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func (o *office) stage(s scope.Scope) tracking.Progress {
	o.t.Helper()
	rec, err := o.tracker.Get(o.t.Context(), s)
	require.NoError(o.t, err)
	return rec.Stage(tracking.UserUpload)
}

// notification is what S3 says of these objects, in one message.
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

func TestAnArrivalIsRecordedOnce(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	const name = "Ein Buch + café.png"
	session := o.granted(name, time.Hour)
	message := notification(t, [2]string{session.Prefix(), name})
	before := o.rows.puts.Load()

	require.NoError(t, o.desk.Message(t.Context(), message), "before the file is there: dealt with, and nothing written")
	require.Equal(t, tracking.StateRunning, o.stage(session).State)
	require.Equal(t, before, o.rows.puts.Load())

	o.put(session, name, 3)
	for range 3 {
		require.NoError(t, o.desk.Message(t.Context(), message))
	}
	st := o.stage(session)
	require.Equal(t, tracking.StateSuccess, st.State)
	require.Equal(t, session.Prefix()+name, st.Destination.Key)
	require.NotEmpty(t, st.Destination.ETag, "pinned to what is there, not to what the event says")
	require.NotContains(t, st.Destination.ETag, "0123456789abcdef")
	require.Equal(t, before+1, o.rows.puts.Load())
	require.Empty(t, o.refused.take())
	require.Equal(t, 1, strings.Count(o.log.text(), "an upload has arrived"))
	require.Equal(t, []scope.Scope{session}, o.grants.all, "its grant is closed")
}

// Duplicated, shuffled and at once: each upload is recorded by one write.
func TestAnyOrderAnyNumber(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	var sessions []scope.Scope
	var messages [][]byte
	for i := range 20 {
		name := fmt.Sprintf("book %d+.png", i)
		s := o.granted(name, time.Hour)
		o.put(s, name, 1)
		sessions = append(sessions, s)
		messages = append(messages, notification(t, [2]string{s.Prefix(), name}))
		if i > 0 { // and a message with two in it
			messages = append(messages, notification(t, [2]string{s.Prefix(), name}, [2]string{sessions[i-1].Prefix(), fmt.Sprintf("book %d+.png", i-1)}))
		}
	}
	before := o.rows.puts.Load()
	var wg sync.WaitGroup
	for range 8 {
		order := rand.Perm(len(messages))
		wg.Go(func() {
			for _, i := range order {
				if err := o.desk.Message(t.Context(), messages[i]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	require.Equal(t, before+20, o.rows.puts.Load())
	for _, s := range sessions {
		st := o.stage(s)
		require.Equal(t, tracking.StateSuccess, st.State)
		require.EqualValues(t, 1, st.Fence)
	}
}

// An upload that was never granted is reported and does not change any record.
func TestWhatNobodyWasGranted(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	session := o.granted("cover.png", time.Hour)
	stranger, err := o.user.NewSession()
	require.NoError(t, err)
	for _, c := range []struct {
		in   scope.Scope
		name string
		why  error
	}{
		{session, "other.png", arrivals.ErrForeign},
		{session, "Cover.png", arrivals.ErrForeign},
		{stranger, "cover.png", arrivals.ErrUnknown},
		{o.user, "cover.png", arrivals.ErrLevel},
	} {
		o.put(c.in, c.name, 1)
		before := o.rows.puts.Load()
		require.NoError(t, o.desk.Message(t.Context(), notification(t, [2]string{c.in.Prefix(), c.name})), "it has been dealt with")
		got := o.refused.take()
		require.Len(t, got, 1)
		require.ErrorIs(t, got[0].Err, c.why)
		require.Equal(t, c.in, got[0].Scope)
		require.Equal(t, before, o.rows.puts.Load())
	}
	require.Equal(t, tracking.StateRunning, o.stage(session).State)
	for _, raw := range []string{"", "{", `{"Records":[]}`, string(bytes.ReplaceAll(notification(t, [2]string{session.Prefix(), "cover.png"}), []byte("landing"), []byte("other")))} {
		require.ErrorIs(t, o.desk.Message(t.Context(), []byte(raw)), presign.ErrEvent)
		require.Len(t, o.refused.take(), 1, "%s", raw)
	}
}

// An upload that arrives after its record has ended is logged, and the record stays unchanged.
func TestAnArrivalAfterTheEnd(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	session := o.granted("cover.png", time.Hour)
	_, err := o.tracker.Cancel(t.Context(), session)
	require.NoError(t, err)
	message := notification(t, [2]string{session.Prefix(), "cover.png"})
	require.NoError(t, o.desk.Message(t.Context(), message))
	require.NotContains(t, o.log.text(), "level=WARN", "only what is there has arrived")
	o.put(session, "cover.png", 1)
	require.True(t, o.holds(session, "cover.png"))
	before := o.rows.puts.Load()
	require.NoError(t, o.desk.Message(t.Context(), message))
	require.Equal(t, before, o.rows.puts.Load())
	require.Equal(t, tracking.StateFailed, o.stage(session).State)
	require.False(t, o.holds(session, "cover.png"), "nobody will ever look at it")
	require.Contains(t, o.log.text(), "level=WARN")
	for _, said := range []string{"after its record had ended", session.String(), "cover.png", "reason=cancelled"} {
		require.Contains(t, o.log.text(), said)
	}
}

// A transient failure is an error. The message's other events are handled, and the next delivery succeeds.
func TestWhatMayPass(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	session := o.granted("cover.png", time.Hour)
	o.put(session, "cover.png", 1)
	message := notification(t, [2]string{session.Prefix(), "cover.png"}, [2]string{session.Prefix(), "other.png"})
	for _, broken := range []*atomic.Bool{&o.objects.broken, &o.rows.broken} {
		broken.Store(true)
		err := o.desk.Message(t.Context(), message)
		require.Error(t, err)
		require.NotErrorIs(t, err, presign.ErrEvent)
		require.ErrorContains(t, err, session.String())
		require.Len(t, o.refused.take(), 1)
		require.Equal(t, tracking.StateRunning, o.stage(session).State)
		broken.Store(false)
	}
	o.rows.unread.Store(true)
	require.ErrorContains(t, o.desk.Message(t.Context(), message), "throttled")
	require.Empty(t, o.refused.take(), "that a record cannot be read does not mean that there is none")
	o.rows.unread.Store(false)
	require.NoError(t, o.desk.Message(t.Context(), message))
	require.Equal(t, tracking.StateSuccess, o.stage(session).State)
}

func TestLook(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		session := o.granted("cover.png", time.Hour)
		rec, err := o.tracker.Get(t.Context(), session)
		require.NoError(t, err)
		_, arrived, err := o.desk.Look(t.Context(), rec, tracking.UserUpload)
		require.NoError(t, err)
		require.False(t, arrived)
		o.put(session, "cover.png", 1)
		ref, arrived, err := o.desk.Look(t.Context(), rec, tracking.UserUpload)
		require.NoError(t, err)
		require.True(t, arrived)
		require.Equal(t, session.Prefix()+"cover.png", ref.Key())
		o.objects.broken.Store(true)
		_, arrived, err = o.desk.Look(t.Context(), rec, tracking.UserUpload)
		require.Error(t, err)
		require.False(t, arrived)
		_, _, err = o.desk.Look(t.Context(), rec, tracking.AVScan)
		require.ErrorIs(t, err, tracking.ErrStage)
	})
}
