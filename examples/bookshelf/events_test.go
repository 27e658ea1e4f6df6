package main

import (
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/cover"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/server"
	"github.com/carrel-go/carrel/presign/presigntest"
)

// impatient starts a bookshelf with short waits and returns its log.
func impatient(t *testing.T, dir string, change func(*config)) (*shelf, *lockedBuffer) {
	t.Helper()
	out := &lockedBuffer{}
	c := config{
		addr: "127.0.0.1:0", data: dir, model: "m", landing: "carrel-landing", raw: "carrel-raw", table: "carrel",
		getenv: func(string) string { return "" }, log: slog.New(slog.NewTextHandler(out, nil)), pace: -1,
		grant: 3 * time.Second, grace: time.Millisecond, sweep: 20 * time.Millisecond, // enough to sign on a busy machine
	}
	if change != nil {
		change(&c)
	}
	a, err := start(t.Context(), c)
	require.NoError(t, err)
	s := &shelf{t: t, app: a, url: a.url, dir: dir}
	t.Cleanup(s.stop)
	return s, out
}

// granted asks for a grant.
func (s *shelf) granted(name string) (session string, put func(content []byte) int) {
	s.t.Helper()
	status, grant := s.json("GET", "/api/upload/presigned?"+url.Values{"filename": {name}}.Encode(), nil)
	require.Equal(s.t, http.StatusOK, status, grant)
	header := map[string]string{}
	for k, v := range grant["headers"].(map[string]any) {
		header[k] = v.(string)
	}
	return grant["session_id"].(string), func(content []byte) int {
		status, _ := s.do(grant["method"].(string), grant["url"].(string), "", content, header)
		return status
	}
}

// becomes waits until the record is as it should be.
func (s *shelf) becomes(session string, as func(file map[string]any) bool) map[string]any {
	s.t.Helper()
	var file map[string]any
	require.Eventually(s.t, func() bool { file = s.file(session); return as(file) }, time.Minute, 5*time.Millisecond)
	return file
}

func arrived(file map[string]any) bool { return stage(file, "user_upload")["status"] == "success" }

// The storage's word is enough: nobody extracts, nobody sweeps.
func TestAnUploadIsRecordedWhenItArrives(t *testing.T) {
	s, out := impatient(t, "", func(c *config) { c.grant, c.grace, c.sweep = time.Minute, time.Minute, time.Hour })
	for _, name := range []string{"cover.png", "Ein Buch + café.png", `"a" & 'b'.png`} {
		session, put := s.granted(name)
		require.Equal(t, "in_progress", stage(s.file(session), "user_upload")["status"])
		require.Equal(t, http.StatusOK, put([]byte("x")))
		file := s.becomes(session, arrived)
		require.Equal(t, "IN_PROGRESS", file["current_status"])
		require.Equal(t, name, file["filename"])
		dest := stage(file, "user_upload")["destination"].(map[string]any)
		require.Equal(t, "tenant=demo/user=anonymous/uploads/"+session+"/"+name, dest["key"])
	}
	require.Eventually(t, func() bool { return strings.Count(out.text(), "an upload has arrived") == 3 }, time.Minute, 5*time.Millisecond)
	require.NotContains(t, out.text(), "level=WARN")

	session, put := s.granted("large.png")
	require.Equal(t, http.StatusBadRequest, put(make([]byte, server.MaxUpload+1)), "the embedded S3 refuses it while it comes in")
	require.Equal(t, "in_progress", stage(s.file(session), "user_upload")["status"])
	require.Equal(t, http.StatusOK, put([]byte("x")), "and the grant is good for another file")
	s.becomes(session, arrived)
}

// The program's own writes are not uploads: an accept does not raise an alarm.
func TestAnAcceptIsNoArrival(t *testing.T) {
	s, out := impatient(t, "", func(c *config) { c.grant, c.grace, c.sweep = time.Minute, time.Minute, time.Hour })
	session := s.upload("cover.png", "image/png", drawn(t, cover.Samples()[0], nil))
	events, _ := s.extract(session, "")
	require.Equal(t, "complete", last(events)["type"])
	status, answer := s.json("POST", "/api/metadata/accept", map[string]any{"session_id": session, "metadata": map[string]any{"title": "Emma"}})
	require.Equal(t, http.StatusOK, status, answer)
	s.stop() // waits for the events in flight
	require.Contains(t, out.text(), "an upload has arrived")
	require.NotContains(t, out.text(), "level=WARN")
}

// A record without an upload is IN_PROGRESS until it is swept, and has then ended. A late file is reported.
func TestAnUploadThatNeverComes(t *testing.T) {
	dir := t.TempDir()
	s, _ := impatient(t, dir, func(c *config) { c.sweep = time.Hour })
	session, put := s.granted("cover.png")
	other, _ := s.granted("other.png")
	file := s.file(session)
	require.Equal(t, "IN_PROGRESS", file["current_status"])
	_, counts := s.json("GET", "/api/ops/counts", nil)
	require.InDelta(t, 2, counts["active"], 0)
	s.stop()
	s, out := impatient(t, dir, nil)
	for _, id := range []string{session, other} {
		file = s.becomes(id, func(f map[string]any) bool { return f["current_status"] == "FAILED" })
		require.Equal(t, "abandoned", file["reason"])
		require.Equal(t, false, file["retryable"])
		require.Equal(t, "failed", stage(file, "user_upload")["status"])
		require.NotEmpty(t, stage(file, "user_upload")["error_message"])
	}
	_, counts = s.json("GET", "/api/ops/counts", nil)
	require.Equal(t, map[string]any{"all": 2.0, "active": 0.0, "waiting": 0.0, "failed": 2.0, "success": 0.0, "capped": false}, counts)
	require.Equal(t, http.StatusForbidden, put([]byte("x")), "the grant has ended too")

	// An upload that began in time and took long, as the store's owner sees it.
	s.leave(session, "cover.png")
	require.Eventually(t, func() bool { return strings.Contains(out.text(), "after its record had ended") }, time.Minute, 5*time.Millisecond)
	for _, said := range []string{"level=WARN", session, "file=cover.png", "reason=abandoned"} {
		require.Contains(t, out.text(), said)
	}
	require.Equal(t, "abandoned", s.file(session)["reason"])
	for path, body := range map[string]map[string]any{
		"/api/metadata/extract": {"session_id": session},
		"/api/metadata/accept":  {"session_id": session, "metadata": map[string]any{"title": "x"}},
	} {
		status, problem := s.json("POST", path, body)
		require.Equal(t, http.StatusConflict, status, problem)
	}
}

// leave puts a file into the landing bucket with the account's own keys.
func (s *shelf) leave(session, name string) {
	s.t.Helper()
	port, err := os.ReadFile(filepath.Join(s.dir, "s3.port"))
	require.NoError(s.t, err)
	s.leaveAt("http://127.0.0.1:"+string(port), session, name)
}

func (s *shelf) leaveAt(endpoint, session, name string) {
	s.t.Helper()
	keys, err := embeddedKeys(s.dir)
	require.NoError(s.t, err)
	_, err = part{endpoint: endpoint, region: presigntest.Region, keys: keys}.s3().PutObject(s.t.Context(), &s3.PutObjectInput{
		Bucket: aws.String("carrel-landing"), Key: aws.String("tenant=demo/user=anonymous/uploads/" + session + "/" + name), Body: strings.NewReader("x"),
	})
	require.NoError(s.t, err)
}

// An upload of which the server was not told, since it did not run, is found by the sweep.
func TestASweepFindsWhatHasArrived(t *testing.T) {
	dir := t.TempDir()
	s, _ := impatient(t, dir, func(c *config) { c.sweep = time.Hour })
	session, _ := s.granted("cover.png")
	s.stop()
	keys, err := embeddedKeys(dir)
	require.NoError(t, err)
	g, err := presigntest.Start(t.Context(), filepath.Join(dir, "s3"), &presigntest.Options{AccessKey: keys.Access, SecretKey: keys.Secret})
	require.NoError(t, err)
	s.leaveAt(g.Endpoint(), session, "cover.png")
	require.NoError(t, g.Close())

	s, out := impatient(t, dir, nil)
	file := s.becomes(session, arrived)
	require.Equal(t, "IN_PROGRESS", file["current_status"])
	require.NotContains(t, out.text(), "an upload has arrived")
	require.Eventually(t, func() bool { return strings.Contains(out.text(), "observed=1") }, time.Minute, 5*time.Millisecond)
}
