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

// shelf is the bookshelf program on the servers of the backend.
type shelf struct {
	t       *testing.T
	program string
	name    string // the name of its table, and the prefix of the names of its buckets
	url     string
	stop    func()
}

// newShelf builds the program.
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
		if servers.DynamoDB != nil { // the table may not exist
			_, _ = servers.DynamoDB.DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: &s.name})
		}
	})
	return s
}

// buildEnv returns the environment of this process with the endpoints and the credentials of the backend. The program
// starts the servers that the backend does not include.
func (s *shelf) buildEnv() []string {
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

// startProgram starts the program with its data in a directory.
func (s *shelf) startProgram(data string) {
	s.t.Helper()
	s.runProgram(s.buildEnv(), "-data", data)
}

// runProgram starts the program with its buckets and its table, and sets the function that stops it.
func (s *shelf) runProgram(env []string, args ...string) {
	s.t.Helper()
	s.run(s.newCommand(context.Background(), env, args...))
}

// runOn starts the program with these flags alone and sets the function that stops it.
func (s *shelf) runOn(env []string, args ...string) {
	s.t.Helper()
	c := exec.CommandContext(context.Background(), s.program, append(args, "-addr", "127.0.0.1:0")...)
	c.Env = env
	s.run(c)
}

func (s *shelf) run(c *exec.Cmd) {
	s.t.Helper()
	c.Stderr = s.t.Output()
	out, err := c.StdoutPipe()
	require.NoError(s.t, err)
	require.NoError(s.t, c.Start())
	s.stop = func() {
		s.stop = nil
		require.NoError(s.t, c.Process.Signal(syscall.SIGTERM))
		defer time.AfterFunc(time.Minute, func() { _ = c.Process.Kill() }).Stop()
		require.NoError(s.t, c.Wait(), "the program exits with an error")
	}
	line, _ := bufio.NewReader(out).ReadString('\n')
	s.url = regexp.MustCompile(`http://\S+`).FindString(line)
	require.NotEmpty(s.t, s.url, "the first line does not have a URL: %q", line)
}

func (s *shelf) newCommand(ctx context.Context, env []string, args ...string) *exec.Cmd {
	args = append(args, "-addr", "127.0.0.1:0", "-landing", s.name+"-landing", "-raw", s.name+"-raw", "-table", s.name)
	c := exec.CommandContext(ctx, s.program, args...)
	c.Env = env
	return c
}

// sendRequest sends a request and returns the status and the body of the response. It sends bytes as they are, and any
// other body as JSON.
func (s *shelf) sendRequest(method, path string, body any, header http.Header) (int, []byte) {
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

// requestJSON sends a valid request and returns the JSON object in the response.
func (s *shelf) requestJSON(method, path string, body any) map[string]any {
	s.t.Helper()
	status, answer := s.sendRequest(method, path, body, nil)
	require.Equal(s.t, http.StatusOK, status, string(answer))
	var v map[string]any
	require.NoError(s.t, json.Unmarshal(answer, &v))
	return v
}

// extractMetadata runs an extraction and returns the metadata of the last event.
func (s *shelf) extractMetadata(session, message string) map[string]any {
	s.t.Helper()
	status, stream := s.sendRequest(http.MethodPost, "/api/metadata/extract", map[string]string{"session_id": session, "message": message}, nil)
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

// readSaved reads an object of the raw bucket without the program.
func (s *shelf) readSaved(data, key string) []byte {
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

// A cover takes all steps over HTTP.
func TestBookshelfStateSurvivesARestart(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	data := t.TempDir()
	s.startProgram(data)

	sample := s.requestJSON(http.MethodGet, "/samples", nil)["samples"].([]any)[0].(map[string]any)
	status, cover := s.sendRequest(http.MethodGet, sample["url"].(string), nil, nil)
	require.Equal(t, http.StatusOK, status)
	grant := s.requestJSON(http.MethodGet, "/api/upload/presigned?"+url.Values{
		"filename": {"Ein Buch – 1.png"}, "content_type": {"image/png"}, "size": {fmt.Sprint(len(cover))},
	}.Encode(), nil)
	session := grant["session_id"].(string)
	status, answer := s.sendRequest(http.MethodPost, "/api/metadata/extract", map[string]string{"session_id": session}, nil)
	require.Equal(t, http.StatusConflict, status, "the upload has not arrived: %s", answer)

	header := http.Header{}
	for name, value := range grant["headers"].(map[string]any) {
		header.Set(name, value.(string))
	}
	put := func() int {
		status, _ := s.sendRequest(grant["method"].(string), grant["url"].(string), cover, header.Clone())
		return status
	}
	require.Equal(t, http.StatusOK, put())
	require.Equal(t, http.StatusPreconditionFailed, put(), "a grant allows one upload")

	meta := s.extractMetadata(session, "")
	require.Equal(t, sample["title"], meta["title"])
	require.Regexp(t, `^\d{13}$`, meta["isbn"])
	meta = s.extractMetadata(session, "the author is J. Austen")
	require.Equal(t, "J. Austen", meta["author"])
	accept := map[string]any{"session_id": session, "metadata": meta}
	key := s.requestJSON(http.MethodPost, "/api/metadata/accept", accept)["saved_key"].(string)
	require.Equal(t, "tenant=demo/user=anonymous/uploads/"+session+"/metadata.json", key)
	var saved map[string]any
	require.NoError(t, json.Unmarshal(s.readSaved(data, key), &saved))
	require.Equal(t, meta, saved)

	s.stop()
	if servers.DynamoDB != nil && servers.S3 != nil { // the program does not store anything itself
		data = t.TempDir()
	}
	s.startProgram(data)
	file := s.requestJSON(http.MethodGet, "/api/ops/files/"+session, nil)["file"].(map[string]any)
	require.Equal(t, "SUCCESS", file["current_status"])
	for _, stage := range file["stage_progress"].([]any) {
		require.Equal(t, "success", stage.(map[string]any)["status"])
	}
	require.Equal(t, map[string]any{"all": 1.0, "active": 0.0, "waiting": 0.0, "failed": 0.0, "success": 1.0, "capped": false}, s.requestJSON(http.MethodGet, "/api/ops/counts", nil))
	require.Equal(t, key, s.requestJSON(http.MethodPost, "/api/metadata/accept", accept)["saved_key"], "the same metadata again")
	meta["title"] = "Another"
	status, answer = s.sendRequest(http.MethodPost, "/api/metadata/accept", accept, nil)
	require.Equal(t, http.StatusConflict, status, string(answer))

	// An operator of another tenant does not see the upload.
	token := s.requestJSON(http.MethodPost, "/api/dev/token", map[string]any{"tenant": "globex", "user": "u1", "roles": []string{"ops"}})["token"].(string)
	status, _ = s.sendRequest(http.MethodGet, "/api/ops/files/"+session, nil, http.Header{"Authorization": {"Bearer " + token}})
	require.Equal(t, http.StatusNotFound, status)
	status, answer = s.sendRequest(http.MethodGet, "/api/ops/files", nil, http.Header{"Authorization": {"Bearer " + token}})
	require.Equal(t, http.StatusOK, status, string(answer))
	require.NotContains(t, string(answer), session)
}

// Other processes may use the table, so a start does not take over leases that may be of dead processes.
func TestBookshelfKeepsLeasesOfOtherProcesses(t *testing.T) {
	t.Parallel()
	needDynamoDB(t)
	s := newShelf(t)
	data := t.TempDir()
	s.startProgram(data)
	id := s.requestJSON(http.MethodGet, "/api/upload/presigned?filename=a.png", nil)["session_id"].(string)
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
	s.startProgram(data) // it sweeps before it answers, if at all
	require.NoError(t, run.Heartbeat(t.Context()))
	r, err := other.Get(t.Context(), session)
	require.NoError(t, err)
	require.Equal(t, tracking.StateRunning, r.Stage(tracking.Enrichment).State)
	require.Equal(t, run.Fence(), r.Stage(tracking.Enrichment).Fence)
}
