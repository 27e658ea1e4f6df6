package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/cover"
	"github.com/carrel-go/carrel/sse"
)

// shelf is a running bookshelf, all of it, as main starts it.
type shelf struct {
	t   *testing.T
	app *app
	url string
	env map[string]string
	dir string

	token   string    // of the user who asks; empty for the anonymous one
	process *exec.Cmd // of a child

	change func(*config) // may change the settings
}

// forUser returns the same bookshelf for another user.
func (s *shelf) forUser(tenant, user string, roles ...string) *shelf {
	s.t.Helper()
	other := *s
	other.token = s.as(tenant, user, roles...)["Authorization"]
	return &other
}

// within returns the same bookshelf for a subtest.
func (s *shelf) within(t *testing.T) *shelf {
	other := *s
	other.t = t
	return &other
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
	c := config{
		addr: "127.0.0.1:0", data: s.dir, model: "m", landing: "carrel-landing", raw: "carrel-raw", table: "carrel",
		getenv: func(k string) string { return s.env[k] }, log: slog.New(slog.NewTextHandler(s.t.Output(), nil)), pace: -1,
	}
	if s.change != nil {
		s.change(&c)
	}
	a, err := start(s.t.Context(), c)
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

func (s *shelf) do(method, target, contentType string, body []byte, header map[string]string) (int, string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, target, bytes.NewReader(body))
	require.NoError(s.t, err)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if s.token != "" && strings.HasPrefix(target, s.url) { // the grants of S3 carry their own credentials
		req.Header.Set("Authorization", s.token)
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
