package bedrock_test

import (
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/bedrock"
	bt "github.com/carrel-go/carrel/agent/bedrock/bedrocktest"
	"github.com/carrel-go/carrel/agent/bedrock/internal/memnet"
	"github.com/carrel-go/carrel/tools"
)

// failedCall is a conversation in which a call has failed with the given blocks.
func failedCall(blocks ...tools.Block) *agent.Request {
	failed := result("a", blocks...)
	failed.Result.IsError = true
	return &agent.Request{
		System: "You know books.",
		Messages: []agent.Message{
			{Role: agent.RoleUser, Parts: []agent.Part{text("go")}},
			{Role: agent.RoleAssistant, Parts: []agent.Part{call("a", "x", `{}`)}},
			{Role: agent.RoleUser, Parts: []agent.Part{failed, text("and?")}},
		},
		Tools:  []tools.Spec{{Name: "x", Schema: []byte(`{"type":"object"}`)}},
		Choice: agent.Choice{Name: "x"},
	}
}

// A failed result says so in words when the model does not have the field status.
func TestNoResultStatus(t *testing.T) {
	t.Parallel()
	r := failedCall(tools.Block{Text: "no such page"})
	require.Contains(t, string(sent(t, nil, r).Body), `"status":"error"`)

	o := &bedrock.Options{NoResultStatus: true}
	got := sent(t, o, r)
	require.NotContains(t, string(got.Body), `"status"`)
	require.Equal(t, "Error: no such page", got.Messages[2].Parts[0].Result.Blocks[0].Text)

	got = sent(t, o, failedCall(tools.Block{JSON: []byte(`{"code":404}`)}))
	require.Equal(t, []tools.Block{{Text: "Error:"}, {JSON: []byte(`{"code":404}`)}}, got.Messages[2].Parts[0].Result.Blocks)

	got = sent(t, o, failedCall())
	require.Equal(t, "Error: (no output)", got.Messages[2].Parts[0].Result.Blocks[0].Text)

	r.Messages[2].Parts[0].Result.IsError = false
	require.Equal(t, "no such page", sent(t, o, r).Messages[2].Parts[0].Result.Blocks[0].Text)
}

// A document beside the results is accepted by a model that rejects it in a result.
func TestNoResultDocuments(t *testing.T) {
	t.Parallel()
	r := failedCall(tools.Block{Document: &tools.Media{Format: "md", Bytes: []byte("# 1")}},
		tools.Block{Document: &tools.Media{Format: "md", Bytes: []byte("# 2")}})
	r.Messages[0].Parts = append(r.Messages[0].Parts, doc("md", "# 0"))
	r.Messages[2].Parts = r.Messages[2].Parts[:1]
	require.Len(t, sent(t, nil, r).Messages[2].Parts[0].Result.Blocks, 3)

	script := bt.NewScript(bt.Reply(bt.Text("ok")))
	synctest.Test(t, func(t *testing.T) {
		client, stop := memnet.Serve(script)
		defer stop()
		m, err := bedrock.New(bt.NewClient(memnet.URL, func(o *bedrockruntime.Options) { o.HTTPClient = client }),
			"us.amazon.nova-2-lite-v1:0", &bedrock.Options{NoResultDocuments: true})
		require.NoError(t, err)
		_, err = collect(t, t.Context(), m, r)
		require.NoError(t, err)
	})
	parts := script.Requests()[0].Messages[2].Parts
	require.Equal(t, []tools.Block{{Text: "See Document 2."}, {Text: "See Document 3."}}, parts[0].Result.Blocks)
	require.Equal(t, "# 1", string(parts[1].Document.Bytes))
	require.Equal(t, "# 2", string(parts[2].Document.Bytes))
	require.NotEmpty(t, parts[3].Text, "a message with a document needs a text")
}

func TestNoToolChoice(t *testing.T) {
	t.Parallel()
	r := failedCall(tools.Block{Text: "no"})
	require.Equal(t, agent.Choice{Name: "x"}, sent(t, nil, r).Choice)
	require.NotContains(t, string(sent(t, &bedrock.Options{NoToolChoice: true}, r).Body), "toolChoice")
}

// The system prompt comes before the first text, and changes nothing that the caller holds.
func TestNoSystem(t *testing.T) {
	t.Parallel()
	o := &bedrock.Options{NoSystem: true}
	r := failedCall(tools.Block{Text: "no"})
	for range 2 {
		got := sent(t, o, r)
		require.NotContains(t, string(got.Body), `"system"`)
		require.Equal(t, []agent.Part{text("You know books."), text("go")}, got.Messages[0].Parts)
	}
	r.Cache = true
	require.Equal(t, 3, sent(t, o, r).CachePoints)
}

// Without points in messages with results, the last messages without them get the points.
func TestNoResultCache(t *testing.T) {
	t.Parallel()
	r := failedCall(tools.Block{Text: "no"})
	r.Cache = true
	require.Equal(t, 4, sent(t, nil, r).CachePoints)
	got := sent(t, &bedrock.Options{NoResultCache: true, NoToolCache: true}, r)
	require.Equal(t, 2, got.CachePoints)
	require.Contains(t, string(got.Body), `{"text":"go"},{"cachePoint":{"type":"default"}}`)
}
