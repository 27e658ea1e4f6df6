package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent/bedrock/bedrocktest"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/cover"
	"github.com/carrel-go/carrel/scope/table/bolt"
	"github.com/carrel-go/carrel/sse"
)

// shelf is a running bookshelf, all of it, as main starts it.
type shelf struct {
	t   *testing.T
	app *app
	url string
	env map[string]string
	dir string

	process *exec.Cmd // of a child
}

// open starts one.
func open(t *testing.T, dir string, env map[string]string) *shelf {
	t.Helper()
	s := &shelf{t: t, env: env, dir: dir}
	s.start()
	t.Cleanup(s.stop)
	return s
}

func (s *shelf) start() {
	s.t.Helper()
	a, err := start(s.t.Context(), config{
		addr: "127.0.0.1:0", data: s.dir, model: "m", landing: "carrel-landing", raw: "carrel-raw", table: "carrel",
		getenv: func(k string) string { return s.env[k] }, log: slog.New(slog.NewTextHandler(s.t.Output(), nil)), pace: -1,
	})
	require.NoError(s.t, err)
	s.app, s.url = a, a.url
}

func (s *shelf) stop() {
	if s.app == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTime)
	defer cancel()
	require.NoError(s.t, s.app.close(ctx))
	s.app = nil
}

// behind puts the scripted model behind the server, by the SDK's own variable.
func behind(t *testing.T, script *bedrocktest.Script) map[string]string {
	srv := httptest.NewServer(script)
	t.Cleanup(srv.Close)
	return map[string]string{"AWS_ENDPOINT_URL_BEDROCK_RUNTIME": srv.URL}
}

func (s *shelf) do(method, target, contentType string, body []byte, header map[string]string) (int, string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, target, bytes.NewReader(body))
	require.NoError(s.t, err)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	res, err := http.DefaultClient.Do(req)
	require.NoError(s.t, err)
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	require.NoError(s.t, err)
	return res.StatusCode, string(b)
}

func (s *shelf) json(method, path string, body any) (int, map[string]any) {
	s.t.Helper()
	var b []byte
	media := ""
	if body != nil {
		var err error
		b, err = json.Marshal(body)
		require.NoError(s.t, err)
		media = "application/json"
	}
	status, text := s.do(method, s.url+path, media, b, nil)
	var v map[string]any
	require.NoError(s.t, json.Unmarshal([]byte(text), &v), text)
	return status, v
}

// upload goes through a grant, as a browser does.
func (s *shelf) upload(name, media string, content []byte) (session string) {
	s.t.Helper()
	q := url.Values{"filename": {name}, "content_type": {media}}
	if len(content) > 0 {
		q.Set("size", fmt.Sprint(len(content)))
	}
	status, grant := s.json("GET", "/api/upload/presigned?"+q.Encode(), nil)
	require.Equal(s.t, http.StatusOK, status, grant)
	header := map[string]string{}
	for k, v := range grant["headers"].(map[string]any) {
		header[k] = v.(string)
	}
	status, text := s.do(grant["method"].(string), grant["url"].(string), "", content, header)
	require.Equal(s.t, http.StatusOK, status, text)
	status, _ = s.do(grant["method"].(string), grant["url"].(string), "", content, header)
	require.Equal(s.t, http.StatusPreconditionFailed, status, "a grant is good for one upload")
	return grant["session_id"].(string)
}

// extract returns the events' data and the text that was streamed.
func (s *shelf) extract(session, message string) (events []map[string]any, text string) {
	s.t.Helper()
	body, err := json.Marshal(map[string]string{"session_id": session, "message": message})
	require.NoError(s.t, err)
	status, stream := s.do("POST", s.url+"/api/metadata/extract", "application/json", body, nil)
	require.Equal(s.t, http.StatusOK, status, stream)
	after := ""
	for e, err := range sse.Decode(strings.NewReader(stream), 0) {
		require.NoError(s.t, err)
		require.Greater(s.t, e.ID, after)
		after = e.ID
		var v map[string]any
		require.NoError(s.t, json.Unmarshal(e.Data, &v))
		events = append(events, v)
		if v["type"] == "text_delta" {
			text += v["delta"].(string)
		}
	}
	return events, text
}

func (s *shelf) file(session string) map[string]any {
	s.t.Helper()
	status, v := s.json("GET", "/api/ops/files/"+session, nil)
	require.Equal(s.t, http.StatusOK, status)
	return v["file"].(map[string]any)
}

func stage(file map[string]any, name string) map[string]any {
	for _, s := range file["stage_progress"].([]any) {
		if s := s.(map[string]any); s["stage_name"] == name {
			return s
		}
	}
	return nil
}

func last(events []map[string]any) map[string]any { return events[len(events)-1] }

func drawn(t *testing.T, c cover.Sample, o *cover.Options) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, cover.Render(&b, c, o))
	return b.Bytes()
}

func TestAPhotoBecomesMetadataAndStays(t *testing.T) {
	for _, c := range []struct {
		file, media string
		o           *cover.Options
	}{
		{"cover.png", "image/png", nil},
		{"Ein Buch – 1.jpg", "image/jpeg", &cover.Options{Format: cover.JPEG}},
	} {
		t.Run(c.media, func(t *testing.T) {
			s := open(t, t.TempDir(), nil)
			sample := cover.Samples()[0]
			session := s.upload(c.file, c.media, drawn(t, sample, c.o))
			events, text := s.extract(session, "")
			kinds := map[any]int{}
			for _, e := range events {
				kinds[e["type"]]++
			}
			for _, kind := range []string{"text_delta", "tool_call", "tool_result", "metadata_update"} {
				require.Positive(t, kinds[kind], kind)
			}
			require.Contains(t, text, "a program")
			require.Equal(t, "complete", last(events)["type"])
			meta := last(events)["metadata"].(map[string]any)
			require.Equal(t, sample.ISBN, meta["isbn"])
			require.Equal(t, sample.Title, meta["title"])
			require.Equal(t, sample.Author, meta["author"])

			events, _ = s.extract(session, "the author is J. Austen")
			meta = last(events)["metadata"].(map[string]any)
			require.Equal(t, "J. Austen", meta["author"])

			status, accepted := s.json("POST", "/api/metadata/accept", map[string]any{"session_id": session, "metadata": meta})
			require.Equal(t, http.StatusOK, status, accepted)
			key := "tenant=demo/user=anonymous/uploads/" + session + "/metadata.json"
			require.Equal(t, key, accepted["saved_key"])

			s.stop() // a restart
			s.start()
			file := s.file(session)
			require.Equal(t, "SUCCESS", file["current_status"])
			for _, name := range []string{"user_upload", "enrichment"} {
				require.Equal(t, "success", stage(file, name)["status"])
				require.Greater(t, stage(file, name)["processing_time"], 0.0)
			}
			stored, err := os.ReadFile(filepath.Join(s.dir, "s3", "carrel-raw", key))
			require.NoError(t, err)
			var saved map[string]any
			require.NoError(t, json.Unmarshal(stored, &saved))
			require.Equal(t, meta, saved)
			_, counts := s.json("GET", "/api/ops/counts", nil)
			require.Equal(t, map[string]any{"all": 1.0, "active": 0.0, "waiting": 0.0, "failed": 0.0, "success": 1.0, "capped": false}, counts)
			status, _ = s.json("POST", "/api/metadata/accept", map[string]any{"session_id": session, "metadata": meta})
			require.Equal(t, http.StatusOK, status, "the same again")
		})
	}
}

func TestABookThatNobodyKnows(t *testing.T) {
	s := open(t, "", nil)
	unknown := cover.Samples()[2]
	session := s.upload("cover.png", "image/png", drawn(t, unknown, nil))
	events, text := s.extract(session, "")
	require.Equal(t, "complete", last(events)["type"])
	require.Equal(t, unknown.ISBN, last(events)["metadata"].(map[string]any)["isbn"])
	require.Contains(t, text, "catalogue", "it says what it could not find")
}

func TestNoImageFailsForGood(t *testing.T) {
	s := open(t, "", nil)
	whole := drawn(t, cover.Samples()[0], nil)
	for name, content := range map[string][]byte{"no image": []byte("hello"), "half an image": whole[:len(whole)/2]} {
		session := s.upload("cover.png", "image/png", content)
		events, _ := s.extract(session, "")
		require.Equal(t, "error", last(events)["type"], name)
		file := s.file(session)
		require.Equal(t, "FAILED", file["current_status"])
		require.Equal(t, "failed", stage(file, "enrichment")["status"])
		require.Equal(t, last(events)["message"], stage(file, "enrichment")["error_message"])
		status, _ := s.json("POST", "/api/metadata/extract", map[string]any{"session_id": session})
		require.Equal(t, http.StatusConflict, status)
	}
	status, _ := s.do("GET", s.url+"/health", "", nil, nil)
	require.Equal(t, http.StatusOK, status, "and the server goes on")
}

// Every way in which the model's endpoint misbehaves, over the wire. The events show what is executed, the file shows
// what is recorded, and neither contains an account's id.
func TestTheModelMisbehaves(t *testing.T) {
	type script = []bedrocktest.Step
	n := 0
	forever := bedrocktest.Forever(bedrocktest.Func(func(*bedrocktest.Request) bedrocktest.Step {
		n++
		return bedrocktest.Reply(bedrocktest.ToolUse(fmt.Sprint("c", n), "check_isbn", `{"isbn":"9780486284736"}`))
	}))
	recovered := bedrocktest.Reply(bedrocktest.Text("Never mind."))
	for name, c := range map[string]struct {
		steps script
		end   string // type of the last event
		says  string // in its message and in the record
	}{
		"throttled until the SDK gives up": {script{bedrocktest.Times(3, bedrocktest.Throttled())}, "error", "429"},
		"throttled once":                   {script{bedrocktest.Throttled(), recovered}, "complete", ""},
		"access denied":                    {script{bedrocktest.Denied()}, "error", ""},
		"cut in mid-text":                  {script{bedrocktest.Reply(bedrocktest.Text("It is"), bedrocktest.Cut())}, "error", ""},
		"no end":                           {script{bedrocktest.Reply(bedrocktest.Text("It is"), bedrocktest.Truncate())}, "error", ""},
		"an exception in mid-stream":       {script{bedrocktest.Reply(bedrocktest.Text("It is"), bedrocktest.Exception("modelStreamErrorException", "arn:aws:x:us-east-1:111122223333:y"))}, "error", ""},
		"a damaged frame":                  {script{bedrocktest.Reply(bedrocktest.Damaged("It is"))}, "error", ""},
		"arguments that are cut":           {script{bedrocktest.Reply(bedrocktest.ToolUse("c1", "set_field", `{"field":"title","val`, `ue":"x`)), recovered}, "complete", ""},
		"arguments of the wrong shape":     {script{bedrocktest.Reply(bedrocktest.ToolUse("c1", "set_field", `{"field":"tenant","value":"globex"}`)), recovered}, "complete", ""},
		"an argument that nobody declared": {script{bedrocktest.Reply(bedrocktest.ToolUse("c1", "scan_barcode", `{"key":"tenant=globex/user=u/x"}`)), recovered}, "complete", ""},
		"a tool that was never offered":    {script{bedrocktest.Reply(bedrocktest.ToolUse("c1", "read_any_file", `{"key":"tenant=globex/shared/x"}`)), recovered}, "complete", ""},
		"tools for ever":                   {script{forever}, "error", ""},
		"the token limit in mid-call":      {script{bedrocktest.Reply(bedrocktest.ToolUse("c1", "set_field", `{"field":"title"`), bedrocktest.Stop("max_tokens"))}, "error", ""},
	} {
		t.Run(name, func(t *testing.T) {
			script := bedrocktest.NewScript(c.steps...)
			s := open(t, "", behind(t, script))
			session := s.upload("cover.png", "image/png", drawn(t, cover.Samples()[0], nil))
			events, _ := s.extract(session, "")
			end := last(events)
			require.Equal(t, c.end, end["type"], end)
			for _, e := range events {
				require.NotEqual(t, "metadata_update", e["type"], "nothing was executed that could not be read")
			}
			file := s.file(session)
			if c.end == "error" {
				require.Equal(t, "FAILED", file["current_status"])
				require.Equal(t, true, file["retryable"])
				require.Equal(t, end["message"], stage(file, "enrichment")["error_message"])
				require.Contains(t, end["message"], c.says)
			} else {
				require.Equal(t, "IN_PROGRESS", file["current_status"])
			}
			told, err := json.Marshal([]any{events, file})
			require.NoError(t, err)
			require.NotContains(t, string(told), "111122223333")
			require.NotContains(t, string(told), "arn:")
			require.NoError(t, script.Err(), "the service would have taken every request")
		})
	}
}

func TestThePageMayUpload(t *testing.T) {
	s := open(t, "", nil)
	_, grant := s.json("GET", "/api/upload/presigned?filename=cover.png", nil)
	preflight := func(origin string) *http.Response {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, grant["url"].(string), nil)
		require.NoError(t, err)
		req.Header.Set("Origin", origin)
		req.Header.Set("Access-Control-Request-Method", "PUT")
		req.Header.Set("Access-Control-Request-Headers", "content-type,if-none-match")
		res, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		res.Body.Close()
		return res
	}
	require.Equal(t, s.url, preflight(s.url).Header.Get("Access-Control-Allow-Origin"))
	require.Empty(t, preflight("http://evil.example").Header.Get("Access-Control-Allow-Origin"))
	for _, path := range []string{"/", "/ops"} {
		status, page := s.do("GET", s.url+path, "", nil, nil)
		require.Equal(t, http.StatusOK, status)
		require.Contains(t, page, "<!doctype html>")
	}
}

func TestOneProcessADirectory(t *testing.T) {
	s := open(t, t.TempDir(), nil)
	_, err := start(t.Context(), config{addr: "127.0.0.1:0", data: s.dir, model: "m", landing: "l", raw: "r", table: "t", getenv: func(string) string { return "" }, log: slog.New(slog.DiscardHandler)})
	require.ErrorIs(t, err, bolt.ErrLocked)
}

func TestWhatStartRefuses(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"-addr", "0.0.0.0:0"}, "must be a loopback address"},
		{[]string{"-addr", "192.0.2.1:0"}, "must be a loopback address"},
		{[]string{"-addr", ":0"}, "must be a loopback address"},
		{[]string{"-addr", "8080"}, "missing port"},
		{[]string{"-landing", "one", "-raw", "one"}, "must be different buckets"},
		{[]string{"-model", ""}, "must not be empty"},
		{[]string{"-addr", "0.0.0.0:0", "-aws"}, "unless -aws and -issuer are set"},
		{[]string{"-addr", "0.0.0.0:0", "-issuer", "https://id.example", "-audience", "a"}, "unless -aws and -issuer are set"},
		{[]string{"-issuer", "https://id.example"}, "requires either -audience"},
		{[]string{"-issuer", "https://id.example", "-audience", "a", "-client", "b"}, "requires either -audience"},
		{[]string{"-audience", "a"}, "require -issuer"},
		{[]string{"-tenant-claim", "a"}, "require -issuer"},
		{[]string{"-issuer", "id.example", "-audience", "a"}, "must be an http or https URL"},
		{[]string{"-events-queue", "https://sqs.example/q"}, "requires -aws"},
		{[]string{"-aws", "-events-queue", "q"}, "must be an http or https URL"},
		{[]string{"-lease", "999ms"}, "-lease: invalid duration 999ms"},
		{[]string{"-lease", "0s"}, "-lease must be at least 1s"},
		{[]string{"-sweep", "-1s"}, "-sweep: invalid interval -1s"},
		{[]string{"-sweep", "0s"}, "-sweep must be positive"},
		{[]string{"-grants", "0"}, "invalid limit 0"},
		{[]string{"-grants", "10001"}, "must be 1 to 10000"},
		{[]string{"-queue", "0"}, "invalid limit 0"},
		{[]string{"-user-runs", "-1"}, "-user-runs: invalid limit -1: must be 1 to 10000"},
		{[]string{"-retention", "-1h"}, "invalid duration -1h0m0s"},
		{[]string{"-events-wait", "0s"}, "1s to 20s"},
		{[]string{"-events-wait", "1500ms"}, "1s to 20s"},
		{[]string{"-events-wait", "21s"}, "1s to 20s"},
		{[]string{"serve"}, "unexpected argument"},
		{[]string{"-port", "1"}, "not defined"},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		err := run(ctx, c.args, func(string) string { return "" }, io.Discard, io.Discard)
		cancel()
		require.ErrorContains(t, err, c.want)
	}
}

func TestATemporaryDirectoryIsRemoved(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	out := &opened{cancel: cancel}
	require.NoError(t, run(ctx, []string{"-addr", "127.0.0.1:0"}, func(string) string { return "" }, out, io.Discard))
	require.Regexp(t, `^The bookshelf is open at http://127\.0\.0\.1:\d+\n$`, out.String())
	left, err := os.ReadDir(os.Getenv("TMPDIR"))
	require.NoError(t, err)
	require.Empty(t, left)
}

// opened ends the program once it says that it is open.
type opened struct {
	bytes.Buffer
	cancel func()
}

func (o *opened) Write(b []byte) (int, error) {
	defer o.cancel()
	return o.Buffer.Write(b)
}

// Each refusal writes one line to the log, for every package that refuses.
func TestRefusalsAreLogged(t *testing.T) {
	var out lockedBuffer
	s := &shelf{t: t}
	a, err := start(t.Context(), config{
		addr: "127.0.0.1:0", model: "m", landing: "carrel-landing", raw: "carrel-raw", table: "carrel",
		getenv: func(k string) string { return s.env[k] }, log: slog.New(slog.NewTextHandler(&out, nil)), pace: -1,
	})
	require.NoError(t, err)
	s.app, s.url = a, a.url
	t.Cleanup(s.stop)
	for op, ask := range map[string]func(){
		"object.ref":      func() { s.do("GET", s.url+"/api/upload/presigned?filename=..%2Fx", "", nil, nil) },
		"tracking.List":   func() { s.do("GET", s.url+"/api/ops/files?cursor=AAAA", "", nil, nil) },
		"oidc.Middleware": func() { s.do("GET", s.url+"/api/ops/files", "", nil, map[string]string{"Authorization": "Bearer x"}) },
	} {
		out.reset()
		ask()
		require.Equal(t, 1, strings.Count(out.text(), "msg=refused"), op)
		require.Contains(t, out.text(), "op="+op)
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *lockedBuffer) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.b.Reset()
}
