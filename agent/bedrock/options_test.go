package bedrock_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/bedrock"
	bt "github.com/carrel-go/carrel/agent/bedrock/bedrocktest"
	"github.com/carrel-go/carrel/agent/bedrock/internal/memnet"
	"github.com/carrel-go/carrel/tools"
)

func TestParametersGolden(t *testing.T) {
	goldens(t, &bedrock.Options{
		Temperature: aws.Float32(0.5), TopP: aws.Float32(0), StopSequences: []string{"END"},
		Guardrail:                    &bedrock.Guardrail{ID: "gr1", Version: "DRAFT"},
		AdditionalModelRequestFields: []byte(`{"thinking": {"type":"enabled","budget_tokens":1024}}`),
		Latency:                      "optimized", ServiceTier: "priority",
		Metadata: map[string]string{"app": "bookshelf"},
	}, map[string]*agent.Request{"parameters": ask("?")})
}

// What no request can be good with is refused by each, and nothing is sent.
func TestOptionsThatAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		o    bedrock.Options
		want string
	}{
		"temperature": {bedrock.Options{Temperature: aws.Float32(1.01)}, "Temperature"},
		"no number":   {bedrock.Options{Temperature: aws.Float32(float32(math.NaN()))}, "Temperature"},
		"topP":        {bedrock.Options{TopP: aws.Float32(-1)}, "TopP"},
		"stop":        {bedrock.Options{StopSequences: []string{"x", ""}}, "StopSequences"},
		"ttl":         {bedrock.Options{CacheTTL: "10m"}, "CacheTTL"},
		"owner":       {bedrock.Options{BucketOwner: "acme"}, "BucketOwner"},
		"guardrail":   {bedrock.Options{Guardrail: &bedrock.Guardrail{ID: "gr1"}}, "Guardrail"},
		"fields":      {bedrock.Options{AdditionalModelRequestFields: []byte(`[]`)}, "AdditionalModelRequestFields: not a JSON object"},
		"latency":     {bedrock.Options{Latency: "low"}, "Latency"},
		"tier":        {bedrock.Options{ServiceTier: "gold"}, "ServiceTier"},
		"tokens":      {bedrock.Options{MaxTokens: math.MaxInt32 + 1}, "MaxTokens"},
	} {
		t.Run(name, func(t *testing.T) {
			require.ErrorContains(t, notSent(t, &c.o, ask("?")), c.want)
		})
	}
}

// A prompt of Prompt management forbids a system prompt, tools and a token limit: an agent cannot use it.
func TestPromptARNs(t *testing.T) {
	client := bt.NewClient(memnet.URL)
	const prompt = "arn:aws:bedrock:us-east-1:111122223333:prompt/PROMPT12345:1"
	for _, id := range []string{prompt, ""} {
		_, err := collect(t, t.Context(), bedrock.New(client, id, nil), ask("?"))
		require.Equal(t, agent.InvalidCall, modelError(t, err).Code)
	}
	require.Equal(t, prompt, bedrock.New(client, prompt, nil).Info().Model)
}

// What the caller changes after New does not reach the model.
func TestOptionsAreCopied(t *testing.T) {
	o := &bedrock.Options{
		StopSequences: []string{"x"}, AdditionalModelRequestFields: []byte(`{"a":1}`), Metadata: map[string]string{"k": "v"},
		Temperature: aws.Float32(0.5), Guardrail: &bedrock.Guardrail{ID: "gr1", Version: "1"},
	}
	before := sent(t, o, ask("?")).Body
	script := bt.NewScript(bt.Reply())
	bubble(t, script, o, func(t *testing.T, m *bedrock.Model) {
		o.StopSequences[0], o.AdditionalModelRequestFields[2], o.Metadata["k"] = "y", 'b', "w"
		*o.Temperature, o.Guardrail.ID = 1, "gr2"
		_, err := collect(t, t.Context(), m, ask("?"))
		require.NoError(t, err)
	})
	require.Equal(t, string(before), string(script.Requests()[0].Body))
}

func TestToolChoice(t *testing.T) {
	x := []tools.Spec{{Name: "x", Schema: []byte(`{"type":"object"}`)}}
	with := func(specs []tools.Spec, c agent.Choice) *agent.Request {
		r := ask("?")
		r.Tools, r.Choice = specs, c
		return r
	}
	for _, c := range []agent.Choice{{}, {Any: true}, {Name: "x"}} {
		require.Equal(t, c, sent(t, nil, with(x, c)).Choice)
	}
	require.NotContains(t, string(sent(t, nil, with(x, agent.Choice{})).Body), "toolChoice")
	require.ErrorContains(t, notSent(t, nil, with(x, agent.Choice{Name: "y"})), `the tool "y" must be called, and is not offered`)
	require.ErrorContains(t, notSent(t, nil, with(x, agent.Choice{Any: true, Name: "x"})), "both any tool and the tool")
	require.ErrorContains(t, notSent(t, nil, with(nil, agent.Choice{Any: true})), "none is offered")

	// Tools that cannot be called any more are not to be chosen either.
	retired := &agent.Request{Choice: agent.Choice{Name: "x"}, Messages: []agent.Message{
		{Role: agent.User, Parts: []agent.Part{text("go")}},
		{Role: agent.Assistant, Parts: []agent.Part{call("a", "x", `{}`)}},
		{Role: agent.User, Parts: []agent.Part{result("a")}},
	}}
	require.ErrorContains(t, notSent(t, nil, retired), "is not offered")
}

// Reasoning goes back as it came; what has no signature does not go back.
func TestReasoningGolden(t *testing.T) {
	thinks := func(r agent.Reasoning) agent.Part { return agent.Part{Reasoning: &r} }
	goldens(t, nil, map[string]*agent.Request{"reasoning": {
		Messages: []agent.Message{
			{Role: agent.User, Parts: []agent.Part{text("go")}},
			{Role: agent.Assistant, Parts: []agent.Part{
				thinks(agent.Reasoning{Text: " Hm \n", Signature: "c2ln"}), thinks(agent.Reasoning{Signature: "YWxvbmU="}),
				thinks(agent.Reasoning{Redacted: []byte("\x00secret")}), thinks(agent.Reasoning{Text: "unsigned"}),
				call("a", "x", `{}`),
			}},
			{Role: agent.User, Parts: []agent.Part{result("a")}},
			{Role: agent.Assistant, Parts: []agent.Part{thinks(agent.Reasoning{Text: "nothing else"})}},
			{Role: agent.User, Parts: []agent.Part{text("and?")}},
		},
		Tools: []tools.Spec{{Name: "x", Schema: []byte(`{"type":"object"}`)}},
	}})
}

// What a stream gave comes back unchanged in the next request.
func TestReasoningRoundTrip(t *testing.T) {
	script := bt.NewScript(
		bt.Reply(bt.Reasoning("c2ln", bt.Chunks("Hm, \"é\" 📚\n", 1)...), bt.Redacted([]byte("\x00\xff")), bt.Text("So.")),
		bt.Reply(bt.Text("ok")),
	)
	bubble(t, script, nil, func(t *testing.T, m *bedrock.Model) {
		deltas, err := collect(t, t.Context(), m, ask("?"))
		require.NoError(t, err)
		said := agent.Message{Role: agent.Assistant}
		for _, d := range deltas {
			switch d := d.(type) {
			case agent.ReasoningPart:
				said.Parts = append(said.Parts, agent.Part{Reasoning: &d.Reasoning})
			case agent.TextPart:
				said.Parts = append(said.Parts, text(d.Text))
			}
		}
		r := ask("?")
		r.Messages = append(r.Messages, said, agent.Message{Role: agent.User, Parts: []agent.Part{text("Sure?")}})
		_, err = collect(t, t.Context(), m, r)
		require.NoError(t, err)
		require.Equal(t, r.Messages, script.Requests()[1].Messages)
		require.Equal(t, "Hm, \"é\" 📚\n", said.Parts[0].Reasoning.Text)
	})
}

// Cache points: where they stand, and that the service takes them.
func TestCacheGoldens(t *testing.T) {
	cached := func(r agent.Request) *agent.Request { r.Cache = true; return &r }
	x := []tools.Spec{{Name: "x", Schema: []byte(`{"type":"object"}`)}, {Name: "y", Schema: []byte(`{"type":"object"}`)}}
	conversation := agent.Request{
		System: "You know books.",
		Messages: []agent.Message{
			{Role: agent.User, Parts: []agent.Part{text("one")}},
			{Role: agent.Assistant, Parts: []agent.Part{text("1"), call("a", "x", `{}`)}},
			{Role: agent.User, Parts: []agent.Part{result("a")}},
			{Role: agent.Assistant, Parts: []agent.Part{text("2")}},
			{Role: agent.User, Parts: []agent.Part{text("three"), doc("md", "# 3")}},
		},
		Tools: x,
	}
	goldens(t, nil, map[string]*agent.Request{
		"cache":       cached(conversation),
		"cache_plain": cached(*ask("?")),
	})
	goldens(t, &bedrock.Options{CacheTTL: "1h", NoToolCache: true}, map[string]*agent.Request{"cache_1h": cached(conversation)})

	require.Zero(t, sent(t, nil, &conversation).CachePoints)
	require.Zero(t, sent(t, &bedrock.Options{NoCache: true}, cached(conversation)).CachePoints)
	require.Equal(t, 4, sent(t, &bedrock.Options{CacheTTL: "5m"}, cached(conversation)).CachePoints)

	// Never directly after a document, a result's included, and never first.
	for _, parts := range [][]agent.Part{
		{doc("md", "x")}, {text("?"), doc("md", "x"), doc("md", "y")}, {doc("md", "x"), text("?")}, {doc("md", "x"), image("png", "x")},
		{text("?"), image("png", "x")},
	} {
		require.Equal(t, 1, sent(t, nil, cached(*messages(parts...))).CachePoints, fmt.Sprint(parts))
	}
	results := conversation
	results.Messages = append(results.Messages[:2:2], agent.Message{Role: agent.User, Parts: []agent.Part{
		result("a", tools.Block{Text: "a page"}, tools.Block{Document: &tools.Media{Format: "md", Bytes: []byte("x")}}),
	}})
	require.Equal(t, 3, sent(t, nil, cached(results)).CachePoints)
}
