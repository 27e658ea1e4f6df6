package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image"
	"image/png"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/booktools"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/server"
	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tracking"
)

// world is a server over drivers in memory and a model that the test writes.
type world struct {
	t       *testing.T
	srv     *server.Server
	table   *table.Table
	tracker *tracking.Tracker
	landing *object.Bucket
	raw     *object.Bucket
	rawDrv  *faulty
	user    scope.Scope
	model   *model
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, model: &model{}, rawDrv: &faulty{Driver: object.NewMemory()}}
	w.table = table.New(table.NewMemory(nil), nil)
	w.landing = object.New(object.NewMemory(), "landing", nil)
	w.raw = object.New(w.rawDrv, "raw", nil)
	var err error
	w.tracker, err = tracking.New(w.table, tracking.Uploads(), nil)
	require.NoError(t, err)
	client := s3.New(s3.Options{
		Region: "us-east-1", BaseEndpoint: aws.String("http://127.0.0.1:1"), UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
	})
	signer, err := presign.New(client, w.landing, nil)
	require.NoError(t, err)
	set, err := booktools.Tools(w.landing, &booktools.Options{Upload: server.Upload(w.tracker, w.landing)})
	require.NoError(t, err)
	a, err := agent.New(w.model, &agent.Options{Tools: set})
	require.NoError(t, err)
	w.srv, err = server.New(server.Options{
		Table: w.table, Tracker: w.tracker, Landing: w.landing, Raw: w.raw, Signer: signer, Agent: a, Pages: http.NotFoundHandler(),
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	require.NoError(t, err)
	t.Cleanup(func() { w.srv.Close(context.Background()) })
	tenant, err := scope.Tenant("demo")
	require.NoError(t, err)
	w.user, err = tenant.User("anonymous")
	require.NoError(t, err)
	return w
}

// model plays what the test queues, an answer a request; with nothing queued it says "ok".
type model struct {
	mu    sync.Mutex
	queue []func(ctx context.Context, yield func(agent.Delta, error) bool)
}

func (m *model) then(answers ...func(context.Context, func(agent.Delta, error) bool)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.queue = append(m.queue, answers...)
}

func (m *model) Stream(ctx context.Context, _ *agent.Request) iter.Seq2[agent.Delta, error] {
	return func(yield func(agent.Delta, error) bool) {
		m.mu.Lock()
		next := say("ok")
		if len(m.queue) > 0 {
			next, m.queue = m.queue[0], m.queue[1:]
		}
		m.mu.Unlock()
		next(ctx, yield)
	}
}

type answer = func(context.Context, func(agent.Delta, error) bool)

func say(text string) answer {
	return func(_ context.Context, yield func(agent.Delta, error) bool) {
		_ = yield(agent.TextPart{Text: text}, nil) && yield(agent.StopPart{Reason: agent.EndTurn}, nil)
	}
}

func call(id, name, args string) answer {
	return func(_ context.Context, yield func(agent.Delta, error) bool) {
		_ = yield(agent.UsePart{ToolUse: agent.ToolUse{ID: id, Name: name, Input: json.RawMessage(args)}}, nil) &&
			yield(agent.StopPart{Reason: agent.ToolUseReason}, nil)
	}
}

func fail(err error) answer {
	return func(_ context.Context, yield func(agent.Delta, error) bool) { yield(nil, err) }
}

// hold says "thinking", then waits for the channel or the end of the context.
func hold(started chan<- struct{}, until <-chan struct{}) answer {
	return func(ctx context.Context, yield func(agent.Delta, error) bool) {
		if !yield(agent.TextPart{Text: "thinking"}, nil) {
			return
		}
		close(started)
		select {
		case <-until:
			_ = yield(agent.StopPart{Reason: agent.EndTurn}, nil)
		case <-ctx.Done():
			yield(nil, ctx.Err())
		}
	}
}

var throttled = &agent.ModelError{Code: agent.Throttled, Message: "The model is throttled (HTTP 429).", Retryable: true, Err: errors.New("429")}

// faulty is a driver whose puts can be made to fail.
type faulty struct {
	object.Driver
	mu   sync.Mutex
	fail error // the next put does nothing and returns it
	lose error // the next put stores and returns it all the same
	puts int
}

func (f *faulty) Put(ctx context.Context, a object.Addr, body io.Reader, o object.PutOptions) (object.Info, error) {
	f.mu.Lock()
	failed, lost := f.fail, f.lose
	f.fail, f.lose = nil, nil
	f.mu.Unlock()
	if failed != nil {
		return object.Info{}, failed
	}
	info, err := f.Driver.Put(ctx, a, body, o)
	if err == nil {
		f.mu.Lock()
		f.puts++
		f.mu.Unlock()
	}
	if lost != nil {
		return object.Info{}, lost
	}
	return info, err
}

type reply struct {
	Status int
	Header http.Header
	Body   string
}

func (r reply) json(t *testing.T) map[string]any {
	t.Helper()
	var v map[string]any
	require.NoError(t, json.Unmarshal([]byte(r.Body), &v), r.Body)
	return v
}

// events are the data of a stream's events.
func (r reply) events(t *testing.T) (events []map[string]any) {
	t.Helper()
	require.Equal(t, http.StatusOK, r.Status, r.Body)
	for _, block := range strings.Split(r.Body, "\n\n") {
		for _, line := range strings.Split(block, "\n") {
			if data, ok := strings.CutPrefix(line, "data: "); ok {
				var v map[string]any
				require.NoError(t, json.Unmarshal([]byte(data), &v))
				events = append(events, v)
			}
		}
	}
	return events
}

func (r reply) last(t *testing.T) map[string]any {
	t.Helper()
	events := r.events(t)
	require.NotEmpty(t, events)
	return events[len(events)-1]
}

func (w *world) do(ctx context.Context, method, target, body string) reply {
	r := httptest.NewRequestWithContext(ctx, method, "http://localhost"+target, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	rec := httptest.NewRecorder()
	w.srv.ServeHTTP(rec, r)
	return reply{rec.Code, rec.Header(), rec.Body.String()}
}

func (w *world) get(target string) reply { return w.do(w.t.Context(), http.MethodGet, target, "") }

func (w *world) post(target string, body map[string]any) reply {
	b, err := json.Marshal(body)
	require.NoError(w.t, err)
	return w.do(w.t.Context(), http.MethodPost, target, string(b))
}

// granted asks for a grant and returns the session's id.
func (w *world) granted(name string) string {
	w.t.Helper()
	r := w.get("/api/upload/presigned?filename=" + url.QueryEscape(name))
	require.Equal(w.t, http.StatusOK, r.Status, r.Body)
	return r.json(w.t)["session_id"].(string)
}

// uploaded makes a session whose file has arrived.
func (w *world) uploaded(content []byte) string {
	w.t.Helper()
	id := w.granted("cover.png")
	session, err := w.user.Session(id)
	require.NoError(w.t, err)
	root, err := w.landing.In(session)
	require.NoError(w.t, err)
	ref, err := root.Ref("cover.png")
	require.NoError(w.t, err)
	_, _, err = root.Put(w.t.Context(), ref, bytes.NewReader(content), &object.PutOptions{Size: int64(len(content))})
	require.NoError(w.t, err)
	return id
}

func picture(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, image.NewGray(image.Rect(0, 0, 32, 32))))
	return b.Bytes()
}

func (w *world) extract(id string) reply {
	return w.post("/api/metadata/extract", map[string]any{"session_id": id})
}

func (w *world) accept(id string, meta map[string]any) reply {
	return w.post("/api/metadata/accept", map[string]any{"session_id": id, "metadata": meta})
}

// stages are the record's stages by name, and its status.
func (w *world) stages(id string) (status string, stages map[string]map[string]any) {
	w.t.Helper()
	r := w.get("/api/ops/files/" + id)
	require.Equal(w.t, http.StatusOK, r.Status, r.Body)
	file := r.json(w.t)["file"].(map[string]any)
	stages = map[string]map[string]any{}
	for _, s := range file["stage_progress"].([]any) {
		stage := s.(map[string]any)
		stages[stage["stage_name"].(string)] = stage
	}
	return file["current_status"].(string), stages
}

// saved is the accepted metadata of a session, or "".
func (w *world) saved(id string) string {
	w.t.Helper()
	session, err := w.user.Session(id)
	require.NoError(w.t, err)
	root, err := w.raw.In(session)
	require.NoError(w.t, err)
	ref, err := root.Ref("metadata.json")
	require.NoError(w.t, err)
	body, _, err := root.Open(w.t.Context(), ref, nil)
	if errors.Is(err, object.ErrNotFound) {
		return ""
	}
	require.NoError(w.t, err)
	defer body.Close()
	b, err := io.ReadAll(body)
	require.NoError(w.t, err)
	return string(b)
}
