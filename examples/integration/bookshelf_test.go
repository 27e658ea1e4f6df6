package integration_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/integration/backend"
	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/scope/table/dynamo"
	"github.com/carrel-go/carrel/tracking"
)

// shelf is the bookshelf as a person starts it: the program, on the servers that were asked for.
type shelf struct {
	t       *testing.T
	program string
	name    string // of its table, and the beginning of its buckets' names
	url     string
	stop    func()
}

func newShelf(t *testing.T) *shelf {
	t.Helper()
	s := &shelf{t: t, program: filepath.Join(t.TempDir(), "bookshelf"), name: "shelf-" + strings.ToLower(rand.Text())}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", s.program, "../bookshelf")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	t.Cleanup(func() {
		if s.stop != nil {
			s.stop()
		}
		if servers.DynamoDB != nil { // where it got as far as to have one
			_, _ = servers.DynamoDB.DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: &s.name})
		}
	})
	return s
}

// env returns the program's environment: this process's, with the endpoints and the credentials of the backend. The
// program starts the parts that the backend lacks.
func (s *shelf) env() []string {
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "AWS_") {
			env = append(env, v)
		}
	}
	var keys aws.CredentialsProvider
	if servers.Kind == backend.Embedded {
		return env
	}
	if c := servers.S3; c != nil {
		keys, env = c.Options().Credentials, append(env, "AWS_ENDPOINT_URL_S3="+*c.Options().BaseEndpoint)
	}
	if c := servers.DynamoDB; c != nil {
		keys, env = c.Options().Credentials, append(env, "AWS_ENDPOINT_URL_DYNAMODB="+*c.Options().BaseEndpoint)
	}
	k, err := keys.Retrieve(s.t.Context())
	require.NoError(s.t, err)
	return append(env, "AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID="+k.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+k.SecretAccessKey, "AWS_SESSION_TOKEN="+k.SessionToken)
}

// start starts the program; its stop ends it as a person does, and waits.
func (s *shelf) start(data string) {
	s.t.Helper()
	c := exec.CommandContext(context.Background(), s.program, "-addr", "127.0.0.1:0", "-data", data,
		"-landing", s.name+"-landing", "-raw", s.name+"-raw", "-table", s.name)
	c.Env, c.Stderr = s.env(), s.t.Output()
	out, err := c.StdoutPipe()
	require.NoError(s.t, err)
	require.NoError(s.t, c.Start())
	s.stop = func() {
		s.stop = nil
		require.NoError(s.t, c.Process.Signal(syscall.SIGTERM))
		defer time.AfterFunc(time.Minute, func() { _ = c.Process.Kill() }).Stop()
		require.NoError(s.t, c.Wait(), "it ends in order")
	}
	line, _ := bufio.NewReader(out).ReadString('\n')
	m := regexp.MustCompile(`http://\S+`).FindString(line)
	require.NotEmpty(s.t, m, "it says where it is: %q", line)
	s.url = m
}

// ask sends a request and returns what it answers. A body is sent as JSON, unless it is bytes.
func (s *shelf) ask(method, path string, body any, header http.Header) (int, []byte) {
	s.t.Helper()
	if header == nil {
		header = http.Header{}
	}
	b, raw := body.([]byte)
	if !raw && body != nil {
		var err error
		b, err = json.Marshal(body)
		require.NoError(s.t, err)
		header.Set("Content-Type", "application/json")
	}
	if !strings.HasPrefix(path, "http://") {
		path = s.url + path
	}
	r, err := http.NewRequestWithContext(s.t.Context(), method, path, bytes.NewReader(b))
	require.NoError(s.t, err)
	r.Header = header
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	require.NoError(s.t, err)
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	require.NoError(s.t, err)
	return res.StatusCode, answer
}

// object returns the JSON object that a path answers to a valid request.
func (s *shelf) object(method, path string, body any) map[string]any {
	s.t.Helper()
	status, answer := s.ask(method, path, body, nil)
	require.Equal(s.t, http.StatusOK, status, string(answer))
	var v map[string]any
	require.NoError(s.t, json.Unmarshal(answer, &v))
	return v
}

// complete extracts, and returns the metadata of the last event.
func (s *shelf) complete(session, message string) map[string]any {
	s.t.Helper()
	status, stream := s.ask(http.MethodPost, "/api/metadata/extract", map[string]string{"session_id": session, "message": message}, nil)
	require.Equal(s.t, http.StatusOK, status, string(stream))
	var last map[string]any
	for line := range strings.Lines(string(stream)) {
		if data, ok := strings.CutPrefix(line, "data: "); ok {
			last = nil
			require.NoError(s.t, json.Unmarshal([]byte(data), &last))
		}
	}
	require.Equal(s.t, "complete", last["type"], "%v", last)
	return last["metadata"].(map[string]any)
}

// saved reads an object of the raw bucket behind the program's back.
func (s *shelf) saved(data, key string) []byte {
	s.t.Helper()
	if servers.Kind == backend.Embedded || servers.S3 == nil {
		b, err := os.ReadFile(filepath.Join(data, "s3", s.name+"-raw", key))
		require.NoError(s.t, err)
		return b
	}
	out, err := servers.S3.GetObject(s.t.Context(), &s3.GetObjectInput{Bucket: aws.String(s.name + "-raw"), Key: &key})
	require.NoError(s.t, err)
	defer out.Body.Close()
	b, err := io.ReadAll(out.Body)
	require.NoError(s.t, err)
	return b
}

// A cover takes all steps, over HTTP alone, and its state survives a restart.
func TestBookshelf(t *testing.T) {
	s := newShelf(t)
	data := t.TempDir()
	s.start(data)

	sample := s.object(http.MethodGet, "/samples", nil)["samples"].([]any)[0].(map[string]any)
	status, cover := s.ask(http.MethodGet, sample["url"].(string), nil, nil)
	require.Equal(t, http.StatusOK, status)
	grant := s.object(http.MethodGet, "/api/upload/presigned?"+url.Values{
		"filename": {"Ein Buch – 1.png"}, "content_type": {"image/png"}, "size": {fmt.Sprint(len(cover))},
	}.Encode(), nil)
	session := grant["session_id"].(string)
	status, answer := s.ask(http.MethodPost, "/api/metadata/extract", map[string]string{"session_id": session}, nil)
	require.Equal(t, http.StatusConflict, status, "nothing has arrived: %s", answer)

	header := http.Header{}
	for name, value := range grant["headers"].(map[string]any) {
		header.Set(name, value.(string))
	}
	put := func() int {
		status, _ := s.ask(grant["method"].(string), grant["url"].(string), cover, header.Clone())
		return status
	}
	require.Equal(t, http.StatusOK, put())
	require.Equal(t, http.StatusPreconditionFailed, put(), "a grant is good for one upload")

	meta := s.complete(session, "")
	require.Equal(t, sample["title"], meta["title"])
	require.Regexp(t, `^\d{13}$`, meta["isbn"])
	meta = s.complete(session, "the author is J. Austen")
	require.Equal(t, "J. Austen", meta["author"])
	accept := map[string]any{"session_id": session, "metadata": meta}
	key := s.object(http.MethodPost, "/api/metadata/accept", accept)["saved_key"].(string)
	require.Equal(t, "tenant=demo/user=anonymous/uploads/"+session+"/metadata.json", key)
	var saved map[string]any
	require.NoError(t, json.Unmarshal(s.saved(data, key), &saved))
	require.Equal(t, meta, saved)

	s.stop()
	if servers.DynamoDB != nil && servers.S3 != nil { // it keeps nothing itself
		data = t.TempDir()
	}
	s.start(data)
	file := s.object(http.MethodGet, "/api/ops/files/"+session, nil)["file"].(map[string]any)
	require.Equal(t, "SUCCESS", file["current_status"])
	for _, stage := range file["stage_progress"].([]any) {
		require.Equal(t, "success", stage.(map[string]any)["status"])
	}
	require.Equal(t, map[string]any{"all": 1.0, "active": 0.0, "waiting": 0.0, "failed": 0.0, "success": 1.0, "capped": false}, s.object(http.MethodGet, "/api/ops/counts", nil))
	require.Equal(t, key, s.object(http.MethodPost, "/api/metadata/accept", accept)["saved_key"], "the same again")
	meta["title"] = "Another"
	status, answer = s.ask(http.MethodPost, "/api/metadata/accept", accept, nil)
	require.Equal(t, http.StatusConflict, status, string(answer))

	// Another tenant's operator sees nothing of it.
	token := s.object(http.MethodPost, "/api/dev/token", map[string]any{"tenant": "globex", "user": "u1", "roles": []string{"ops"}})["token"].(string)
	status, _ = s.ask(http.MethodGet, "/api/ops/files/"+session, nil, http.Header{"Authorization": {"Bearer " + token}})
	require.Equal(t, http.StatusNotFound, status)
	status, answer = s.ask(http.MethodGet, "/api/ops/files", nil, http.Header{"Authorization": {"Bearer " + token}})
	require.Equal(t, http.StatusOK, status, string(answer))
	require.NotContains(t, string(answer), session)
}

// If other processes may use the table, a start does not take over leases of dead processes.
func TestBookshelfLeavesOthersRunsAlone(t *testing.T) {
	needDynamoDB(t)
	s := newShelf(t)
	data := t.TempDir()
	s.start(data)
	id := s.object(http.MethodGet, "/api/upload/presigned?filename=a.png", nil)["session_id"].(string)
	session, err := userOf(t, "demo", "anonymous").Session(id)
	require.NoError(t, err)
	d, err := dynamo.New(servers.DynamoDB, s.name, nil)
	require.NoError(t, err)
	other, err := tracking.New(must.Get(table.New(d, nil)), tracking.Uploads(), nil)
	require.NoError(t, err)
	run, err := other.Claim(t.Context(), session, tracking.Enrichment, &tracking.ClaimOptions{
		Key: "another process's", Lease: time.Hour, Observed: &tracking.Observation{Stage: tracking.UserUpload},
	})
	require.NoError(t, err)
	s.stop()
	s.start(data) // which sweeps before it answers, or never
	require.NoError(t, run.Heartbeat(t.Context()))
	r, err := other.Get(t.Context(), session)
	require.NoError(t, err)
	require.Equal(t, tracking.StateRunning, r.Stage(tracking.Enrichment).State)
	require.Equal(t, run.Fence(), r.Stage(tracking.Enrichment).Fence)
}
