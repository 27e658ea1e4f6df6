package agenttest_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/agenttest"
	"github.com/carrel-go/carrel/agent/bedrock"
	"github.com/carrel-go/carrel/agent/bedrock/bedrocktest"
)

// newBedrock returns a model of Amazon Bedrock that is called through a transport.
func newBedrock(t *testing.T, url string, transport http.RoundTripper) agent.Model {
	t.Helper()
	client := bedrocktest.NewClient(url, func(o *bedrockruntime.Options) { o.HTTPClient = &http.Client{Transport: transport} })
	m, err := bedrock.New(client, "any-model", nil)
	require.NoError(t, err)
	return m
}

func TestReplayedRunEqualsRecordedRun(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "run.json")
	script := bedrocktest.NewScript(
		bedrocktest.Throttled(),
		bedrocktest.Reply(bedrocktest.Text("I ", "look."), bedrocktest.ToolUse("c1", "count", `{"subject":`, `"whales"}`), bedrocktest.Usage(agent.Usage{Input: 9, Output: 4})),
		bedrocktest.Reply(bedrocktest.Text("Three.")),
	)
	server := httptest.NewServer(script)
	t.Cleanup(server.Close)
	var want agent.Done
	t.Run("record", func(t *testing.T) {
		var err error
		want, err = run(t, newBedrock(t, server.URL, agenttest.Record(t, path, http.DefaultTransport, nil)), "How many?")
		require.NoError(t, err)
	})
	t.Run("replay", func(t *testing.T) {
		got, err := run(t, newBedrock(t, "http://nowhere.invalid", agenttest.Replay(t, path, nil)), "How many?")
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
	file, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Contains(t, string(file), `"text": "How many?"`, "requests can be read")
	for _, secret := range []string{"Authorization", "Credential", server.URL, "X-Amz-Date"} {
		require.NotContains(t, string(file), secret)
	}
}

func TestReplayReportsWhatDiffers(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "run.json")
	server := httptest.NewServer(bedrocktest.NewScript(bedrocktest.Reply(bedrocktest.Text("Three."))))
	t.Cleanup(server.Close)
	recording := &tb{TB: t}
	_, err := run(t, newBedrock(t, server.URL, agenttest.Record(recording, path, http.DefaultTransport, nil)), "How many?")
	require.NoError(t, err)
	recording.cleanup()
	require.Empty(t, recording.failed)

	replay := &tb{TB: t}
	_, err = run(t, newBedrock(t, "http://nowhere.invalid", agenttest.Replay(replay, path, nil)), "How few?")
	require.Error(t, err)
	replay.cleanup()
	require.Len(t, replay.failed, 2, "one attempt, one exchange that is left: %q", replay.failed)
	require.Contains(t, replay.failed[0], "request 1 was not recorded: it differs from the next exchange at byte ")
	require.Contains(t, replay.failed[0], "How few?")
	require.Contains(t, replay.failed[1], "0 of 1 exchanges were played")
}

// post sends a body through a transport and returns the body of the response.
func post(t *testing.T, transport http.RoundTripper, body string) (string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://service.invalid/v1?key=hidden", strings.NewReader(body))
	require.NoError(t, err)
	res, err := transport.RoundTrip(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return string(b), err
}

// roundTrip is a transport that is a function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// echo returns a transport that answers with the request's body.
func echo() http.RoundTripper {
	return roundTrip(func(r *http.Request) (*http.Response, error) {
		header := http.Header{"Content-Type": {"text/plain"}, "Set-Cookie": {"session=hidden"}}
		return &http.Response{StatusCode: http.StatusOK, Header: header, Body: r.Body, Request: r}, nil
	})
}

func TestRecordRefusesSecrets(t *testing.T) {
	t.Parallel()
	for name, secret := range map[string]string{
		"an AWS access key id": "AKIA" + "IOSFODNN7EXAMPLE",
		"a signed URL":         "https://b.s3.amazonaws.com/k?X-Amz-Signature=" + strings.Repeat("0a", 32),
		"an AWS session token": "IQoJ" + strings.Repeat("b3JpZ2lu", 10),
		"a bearer token":       "Authorization: Bearer " + strings.Repeat("abc1", 8),
		"a JSON web token":     "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
		"a private key":        "-----BEGIN RSA PRIVATE KEY-----",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "run.json")
			fake := &tb{TB: t}
			_, err := post(t, agenttest.Record(fake, path, echo(), nil), "It is "+secret)
			require.NoError(t, err)
			fake.cleanup()
			require.Equal(t, []string{"agenttest: record " + path + ": exchange 1 contains " + name + ": remove it by RecordingOptions.Redact"}, fake.failed)
			require.NoFileExists(t, path)
		})
	}
}

func TestRedactChangesBothSides(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "run.json")
	o := &agenttest.RecordingOptions{Redact: func(b []byte) []byte {
		for _, key := range []string{"AKIA" + "IOSFODNN7EXAMPLE", "AKIA" + "I44QH8DHBEXAMPLE"} {
			b = bytes.ReplaceAll(b, []byte(key), []byte("[key]"))
		}
		return b
	}}
	fake := &tb{TB: t}
	_, err := post(t, agenttest.Record(fake, path, echo(), o), "AKIA"+"IOSFODNN7EXAMPLE")
	require.NoError(t, err)
	fake.cleanup()
	require.Empty(t, fake.failed)
	answer, err := post(t, agenttest.Replay(t, path, o), "AKIA"+"I44QH8DHBEXAMPLE")
	require.NoError(t, err)
	require.Equal(t, "[key]", answer)
}

// The file holds down: JSON is indented, text is text, other bytes are in base64, a response that was not read to its
// end is marked, and neither the query nor other headers are there.
func TestRecordingIsGolden(t *testing.T) {
	t.Parallel()
	const golden = "testdata/recording.json"
	path := filepath.Join(t.TempDir(), "run.json")
	fake := &tb{TB: t}
	recorder := agenttest.Record(fake, path, echo(), nil)
	bodies := []string{`{"b": 1e400, "a":"<é>"}`, "data: hello\n\n", "\x00\xff", ""}
	for _, body := range bodies {
		answer, err := post(t, recorder, body)
		require.NoError(t, err)
		require.Equal(t, body, answer)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://service.invalid/v1", strings.NewReader("cut off"))
	require.NoError(t, err)
	res, err := recorder.RoundTrip(req)
	require.NoError(t, err)
	_, err = io.ReadFull(res.Body, make([]byte, 3))
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	fake.cleanup()
	require.Empty(t, fake.failed)

	got, err := os.ReadFile(path)
	require.NoError(t, err)
	if *update {
		require.NoError(t, os.WriteFile(golden, got, 0o600))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))

	player := agenttest.Replay(t, golden, nil)
	for _, body := range []string{`{"b":1e400,"a":"<é>"}`, bodies[1], bodies[2], bodies[3]} {
		answer, err := post(t, player, body)
		require.NoError(t, err)
		require.Equal(t, body, answer)
	}
	answer, err := post(t, player, "cut off")
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.Equal(t, "cut", answer)
}

func TestInvalidRecordingsAreRefused(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]string{
		``:                                 "EOF",
		`{"agenttest":1}`:                  "unsupported version 1: must be 2",
		`{"agenttest":2} {}`:               "more than one JSON value",
		`{"agenttest":2,"more":1}`:         "unknown field",
		`{"agenttest":2,"exchanges":[{}]}`: "exchange 1: missing or invalid status",
	} {
		path := filepath.Join(t.TempDir(), "run.json")
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		require.Contains(t, fatal(t, func(t testing.TB) { agenttest.Replay(t, path, nil) }), want, content)
	}
	require.Contains(t, fatal(t, func(t testing.TB) { agenttest.Replay(t, "missing.json", nil) }), "no such file")
	require.Contains(t, fatal(t, func(t testing.TB) { agenttest.Record(t, "x", nil, nil) }), "next must not be nil")
}

// fatal returns the message with which f fails its test.
func fatal(t *testing.T, f func(testing.TB)) string {
	t.Helper()
	fake := &tb{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(fake)
	}()
	<-done
	require.Len(t, fake.failed, 1)
	return fake.failed[0]
}

func FuzzReplayRefusesInvalidFiles(f *testing.F) {
	f.Add([]byte(`{"agenttest":2,"exchanges":[{"method":"POST","path":"/","request":{"json":{}},"status":200,"header":{},"response":{"text":"x"}}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		again, err := agenttest.Reencode(b)
		if err != nil {
			return
		}
		twice, err := agenttest.Reencode(again)
		require.NoError(t, err)
		require.Equal(t, string(again), string(twice))
	})
}
