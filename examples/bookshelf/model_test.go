package main

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent/bedrock/bedrocktest"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/cover"
)

// behind puts the scripted model behind the server, by the SDK's own variable.
func behind(t *testing.T, script *bedrocktest.Script) map[string]string {
	srv := httptest.NewServer(script)
	t.Cleanup(srv.Close)
	return map[string]string{"AWS_ENDPOINT_URL_BEDROCK_RUNTIME": srv.URL}
}

// Every way in which the model's endpoint misbehaves, over the wire. The events show what is executed, the file shows
// what is recorded, and neither contains an account's id.
func TestTheModelMisbehaves(t *testing.T) {
	t.Parallel()
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
			t.Parallel()
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
