package integration_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/bedrock/bedrocktest"
	"github.com/carrel-go/carrel/examples/integration/backend"
	"github.com/carrel-go/carrel/presign/presigntest"
	"github.com/carrel-go/carrel/scope/oidc/oidctest"
	"github.com/carrel-go/carrel/scope/table/dynamo"
	"github.com/carrel-go/carrel/sse"
	"github.com/carrel-go/carrel/tracking"
)

// slowLibrarian is a model that sets one field in each of its first answers, with a pause before each word.
type slowLibrarian struct{ pause time.Duration }

func (m slowLibrarian) Stream(ctx context.Context, r *agent.Request) iter.Seq2[agent.Delta, error] {
	return func(yield func(agent.Delta, error) bool) {
		results := 0
		for _, message := range r.Messages {
			for _, p := range message.Parts {
				if p.Result != nil {
					results++
				}
			}
		}
		fields := []string{`{"field":"title","value":"Emma"}`, `{"field":"author","value":"Jane Austen"}`}
		for _, word := range []string{"Now ", "comes ", fmt.Sprint("part ", results, ". ")} {
			select {
			case <-time.After(m.pause):
			case <-ctx.Done():
				yield(nil, ctx.Err())
				return
			}
			if !yield(agent.TextDelta{Text: word}, nil) {
				return
			}
		}
		if results == len(fields) {
			yield(agent.StopPart{Reason: agent.StopEndTurn}, nil)
			return
		}
		use := agent.ToolUse{ID: fmt.Sprint("c", results), Name: "set_field", Input: json.RawMessage(fields[results])}
		_ = yield(agent.UsePart{ToolUse: use}, nil) && yield(agent.StopPart{Reason: agent.StopToolUse}, nil)
	}
}

const functionText = "Now comes part 0. Now comes part 1. Now comes part 2. "

// A run of the slowLibrarian has three turns of three seconds. A short invocation hands it over at the end of the second
// one, after half of its time, and has a quarter of its time left for that.
const (
	slowPause       = time.Second
	shortInvocation = 10 * time.Second
)

// startEnvironment starts the program as a function, with a separate Runtime API.
func (s *shelf) startEnvironment(env, args []string) (api *runtimeAPI, freeze, thaw func()) {
	s.t.Helper()
	api = newRuntimeAPI(s.t)
	c := s.newCommand(context.Background(),
		append(slices.Clip(env), "AWS_LAMBDA_RUNTIME_API="+api.server.Listener.Addr().String()), args...)
	c.Stderr = s.t.Output()
	require.NoError(s.t, c.Start())
	s.t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	signal := func(sig syscall.Signal) func() {
		return func() { require.NoError(s.t, c.Process.Signal(sig)) }
	}
	return api, signal(syscall.SIGSTOP), signal(syscall.SIGCONT)
}

// readEvents reads the events of a streamed answer to its end.
func readEvents(t *testing.T, answer *functionAnswer) (events []sse.Event) {
	t.Helper()
	require.Equal(t, http.StatusOK, answer.status, answer.failed)
	for e, err := range sse.Decode(answer.body, 0) {
		require.NoError(t, err)
		events = append(events, e)
	}
	_, _ = io.Copy(io.Discard, answer.body)
	return events
}

// tellText returns the text of events without what was retracted.
func tellText(t *testing.T, events []sse.Event) (text string) {
	t.Helper()
	type piece struct{ id, text string }
	var told []piece
	for _, e := range events {
		var v struct{ Type, Delta, After string }
		require.NoError(t, json.Unmarshal(e.Data, &v))
		if v.Type == "retract" {
			told = slices.DeleteFunc(told, func(p piece) bool { return p.id > v.After })
		}
		told = append(told, piece{e.ID, v.Delta})
	}
	for _, p := range told {
		text += p.text
	}
	return text
}

// The whole flow as a function of AWS Lambda. A run is handed over before the deadline of its invocation, while the
// process that began it is frozen, and by the schedule if nobody follows it.
func TestBookshelfIsAFunction(t *testing.T) {
	needQueue(t)
	if servers.Kind == backend.LocalStack {
		t.Skip("LocalStack answers too slowly for invocations of a few seconds")
	}
	s := newShelf(t)
	issuer, err := oidctest.New(nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = issuer.Close() })
	model := httptest.NewServer(bedrocktest.Front(slowLibrarian{slowPause}))
	t.Cleanup(model.Close)
	for _, bucket := range []string{s.name + "-landing", s.name + "-raw"} {
		require.NoError(t, presigntest.EnsureBucket(t.Context(), servers.S3, bucket))
	}
	layout := &dynamo.TableOptions{Listed: tracking.Listed()}
	require.NoError(t, dynamo.CreateTable(t.Context(), servers.DynamoDB, s.name, layout))
	env := append(s.buildEnv(), "AWS_ENDPOINT_URL="+*servers.S3.Options().BaseEndpoint, "AWS_EC2_METADATA_DISABLED=true",
		"AWS_ENDPOINT_URL_BEDROCK_RUNTIME="+model.URL)
	args := []string{"-aws", "-model", "any-model", "-lease", "2s", "-issuer", issuer.URL(), "-client", issuer.ClientID()}
	token, err := issuer.Token(map[string]any{"sub": "ann", "custom:tenant_id": "acme", "token_use": "id"})
	require.NoError(t, err)

	first, freeze, thaw := s.startEnvironment(env, args)
	upload := func() (session string) {
		g := first.request("GET", "/api/upload/presigned?filename=cover.png", token, "")
		r, err := http.NewRequestWithContext(t.Context(), g["method"].(string), g["url"].(string), bytes.NewReader(whitePNG))
		require.NoError(t, err)
		for name, value := range g["headers"].(map[string]any) {
			r.Header.Set(name, value.(string))
		}
		res, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		_ = res.Body.Close()
		require.Equal(t, http.StatusOK, res.StatusCode)
		message := map[string]any{"Records": []any{map[string]any{
			"messageId": "m1", "eventSource": "aws:sqs", "body": s.eventMessage(g["key"].(string)),
		}}}
		answer, err := io.ReadAll(first.invoke(message, 20*time.Second).body)
		require.NoError(t, err)
		require.JSONEq(t, `{"batchItemFailures":[]}`, string(answer))
		return g["session_id"].(string)
	}
	session := upload()
	file := first.request("GET", "/api/ops/files/"+session, token, "")["file"].(map[string]any)
	require.Equal(t, "IN_PROGRESS", file["current_status"])

	// The first invocation ends within the run. Its process is frozen; another one continues the run.
	extract := urlEvent("POST", "/api/metadata/extract", token, fmt.Sprintf(`{"session_id":%q}`, session), nil)
	answer := first.invoke(extract, shortInvocation)
	events := readEvents(t, answer)
	require.True(t, time.Now().Before(answer.deadline), "the invocation ends before its deadline")
	require.NotEmpty(t, events)
	require.NotContains(t, []string{"complete", "error"}, kindOf(events[len(events)-1]), "the run has not ended")
	freeze()
	path := answer.header["Location"]
	second, _, _ := s.startEnvironment(env, args)
	last := map[string]string{"last-event-id": events[len(events)-1].ID}
	events = append(events, readEvents(t, second.invoke(urlEvent("GET", path, token, "", last), time.Minute))...)
	require.Equal(t, "complete", kindOf(events[len(events)-1]), "%s", events[len(events)-1].Data)
	require.Equal(t, functionText, tellText(t, events))
	thaw()
	all := readEvents(t, first.invoke(urlEvent("GET", path, token, "", nil), 20*time.Second))
	require.Equal(t, events, all, "the process that was frozen has not written anything")

	// A chat of the AI SDK ends within its message, and the request that resumes it continues the run.
	chat := `{"id":"c","trigger":"submit-message","messages":[{"id":"m","role":"user","parts":[{"type":"text","text":"hello"}]}]}`
	answer = first.invoke(urlEvent("POST", "/api/chat/aisdk", token, chat, nil), shortInvocation)
	require.Equal(t, http.StatusOK, answer.status, answer.failed)
	part, _ := io.ReadAll(answer.body) // it is broken
	require.True(t, time.Now().Before(answer.deadline), "the invocation ends before its deadline")
	require.Contains(t, string(part), `"text-delta"`)
	require.NotContains(t, string(part), `"type":"finish"`)
	resume := urlEvent("GET", "/api/chat/aisdk/c/stream", token, "", nil)
	whole, err := io.ReadAll(second.invoke(resume, time.Minute).body)
	for tries := 0; err != nil && tries < 5; tries++ { // a takeover may break it once more, and the client resumes again
		whole, err = io.ReadAll(second.invoke(resume, time.Minute).body)
	}
	require.NoError(t, err)
	require.Contains(t, string(whole), `"type":"finish"`)

	// The client of the second run leaves. The schedule continues the run.
	session = upload()
	answer = first.invoke(urlEvent("POST", "/api/metadata/extract", token, fmt.Sprintf(`{"session_id":%q}`, session), nil),
		shortInvocation)
	_ = readEvents(t, answer)
	tick := second.invoke(map[string]any{"source": "aws.scheduler"}, time.Minute)
	require.Empty(t, tick.failed)
	tick.end()
	draft := second.request("GET", "/api/metadata/"+session, token, "")
	require.Equal(t, map[string]any{"title": "Emma", "author": "Jane Austen"}, draft["metadata"])
	events = readEvents(t, second.invoke(urlEvent("GET", answer.header["Location"], token, "", nil), 20*time.Second))
	require.Equal(t, "complete", kindOf(events[len(events)-1]))
	require.Equal(t, functionText, tellText(t, events))
}

// whitePNG is an image of one white pixel.
var whitePNG = []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x00\x00\x00\x00:~\x9bU" +
	"\x00\x00\x00\nIDATx\x9cc\xf8\x0f\x00\x01\x01\x01\x00\xb18\xf6\x14\x00\x00\x00\x00IEND\xaeB`\x82")
