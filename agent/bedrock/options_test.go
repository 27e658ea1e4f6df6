package bedrock_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
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
	t.Parallel()
	goldens(t, &bedrock.Options{
		Temperature: aws.Float32(0.5), TopP: aws.Float32(0), StopSequences: []string{"END"},
		Guardrail:                    &bedrock.Guardrail{ID: "gr1", Version: "DRAFT"},
		AdditionalModelRequestFields: []byte(`{"thinking": {"type":"disabled"}, "top_k":20}`),
		Latency:                      "optimized", ServiceTier: "priority",
		Metadata: map[string]string{"app": "bookshelf"},
	}, map[string]*agent.Request{"parameters": ask("?")})
}

// New returns an error for an option that the service would reject in every request.
func TestInvalidOptions(t *testing.T) {
	t.Parallel()
	metadata := func(pairs ...string) bedrock.Options {
		m := map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i]] = pairs[i+1]
		}
		return bedrock.Options{Metadata: m}
	}
	var many []string
	for i := range 17 {
		many = append(many, fmt.Sprint(i), "")
	}
	fields := func(s string) bedrock.Options {
		return bedrock.Options{AdditionalModelRequestFields: []byte(s)}
	}
	warm := fields(`{"thinking":{"type":"adaptive"}}`)
	warm.Temperature = aws.Float32(0.5)
	narrow := fields(`{"reasoning_config":{"type":"enabled","budget_tokens":1024}}`)
	narrow.TopP = aws.Float32(0.9)
	for name, c := range map[string]struct {
		o    bedrock.Options
		want string
	}{
		"temperature":        {bedrock.Options{Temperature: aws.Float32(1.01)}, "Temperature"},
		"not a number":       {bedrock.Options{Temperature: aws.Float32(float32(math.NaN()))}, "Temperature"},
		"topP":               {bedrock.Options{TopP: aws.Float32(-1)}, "TopP"},
		"empty stop":         {bedrock.Options{StopSequences: []string{"x", ""}}, "StopSequences"},
		"blank stop":         {bedrock.Options{StopSequences: []string{" \n"}}, "StopSequences"},
		"many stops":         {bedrock.Options{StopSequences: slices.Repeat([]string{"x"}, 2501)}, "StopSequences"},
		"ttl":                {bedrock.Options{CacheTTL: "10m"}, "CacheTTL"},
		"owner":              {bedrock.Options{BucketOwner: "acme"}, "BucketOwner"},
		"half a guardrail":   {bedrock.Options{Guardrail: &bedrock.Guardrail{ID: "gr1"}}, "Guardrail.Version"},
		"guardrail id":       {bedrock.Options{Guardrail: &bedrock.Guardrail{ID: "My Rail", Version: "1"}}, "Guardrail.ID"},
		"guardrail version":  {bedrock.Options{Guardrail: &bedrock.Guardrail{ID: "gr1", Version: "draft"}}, "Guardrail.Version"},
		"fields":             {fields(`[]`), "AdditionalModelRequestFields: not a JSON object"},
		"empty fields":       {bedrock.Options{AdditionalModelRequestFields: []byte{}}, "AdditionalModelRequestFields"},
		"latency":            {bedrock.Options{Latency: "low"}, "Latency"},
		"tier":               {bedrock.Options{ServiceTier: "gold"}, "ServiceTier"},
		"tokens":             {bedrock.Options{MaxTokens: math.MaxInt32 + 1}, "MaxTokens"},
		"negative tokens":    {bedrock.Options{MaxTokens: -1}, "MaxTokens"},
		"metadata: 17 pairs": {metadata(many...), "Metadata"},
		"metadata: no key":   {metadata("", "x"), "Metadata"},
		"metadata: long key": {metadata(strings.Repeat("k", 257), "x"), "Metadata"},
		"metadata: long":     {metadata("k", strings.Repeat("v", 257)), "Metadata"},
		"metadata: set":      {metadata("k", "a*b"), "Metadata"},
		"metadata: key set":  {metadata("é", "x"), "Metadata"},
		"warm thinking":      {warm, "Temperature"},
		"narrow thinking":    {narrow, "TopP"},
		"forced thinking":    {fields(`{"thinking":{"type":"adaptive"},"tool_choice":{"type":"any"}}`), "tool_choice"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := bedrock.New(bt.NewClient(memnet.URL), "any-model", &c.o)
			require.ErrorContains(t, err, c.want)
		})
	}
	_, err := bedrock.New(nil, "any-model", nil)
	require.ErrorContains(t, err, "nil")
}

// The service accepts what is at the limits.
func TestOptionsAtTheirLimits(t *testing.T) {
	t.Parallel()
	o := &bedrock.Options{
		Temperature: aws.Float32(1), TopP: aws.Float32(0.95), StopSequences: []string{" x", "\n\nHuman:"},
		AdditionalModelRequestFields: []byte(`{"thinking":{"type":"enabled","budget_tokens":1024}}`),
		Guardrail:                    &bedrock.Guardrail{ID: "arn:aws:bedrock:us-east-1:111122223333:guardrail/gr1", Version: "12"},
		Metadata:                     map[string]string{strings.Repeat("k", 256): strings.Repeat("v", 256), "team: a@b_$#=/+,-.": ""},
	}
	for i := range 14 {
		o.Metadata[fmt.Sprint(i)] = ""
	}
	sent(t, o, ask("?"))
	require.NotContains(t, string(sent(t, &bedrock.Options{Metadata: map[string]string{}}, ask("?")).Body), "requestMetadata")
}

// A prompt of Prompt management forbids a system prompt, tools and a token limit, so an agent cannot use it.
func TestInvalidModelIDs(t *testing.T) {
	t.Parallel()
	const prompt = "arn:aws:bedrock:us-east-1:111122223333:prompt/PROMPT12345:1"
	for _, id := range []string{prompt, "", strings.Repeat("m", 2049)} {
		_, err := bedrock.New(bt.NewClient(memnet.URL), id, nil)
		require.Error(t, err)
	}
}

// Changes that the caller makes after New do not affect the model.
func TestOptionsAreCopied(t *testing.T) {
	t.Parallel()
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
	t.Parallel()
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
	require.ErrorContains(t, notSent(t, nil, with(x, agent.Choice{Name: "y"})), `the tool "y" must be called, but is not offered`)
	require.ErrorContains(t, notSent(t, nil, with(x, agent.Choice{Any: true, Name: "x"})), "both any tool and the tool")
	require.ErrorContains(t, notSent(t, nil, with(nil, agent.Choice{Any: true})), "the request does not offer any")

	// A tool that cannot be called any more must not be chosen.
	retired := &agent.Request{Choice: agent.Choice{Name: "x"}, Messages: []agent.Message{
		{Role: agent.RoleUser, Parts: []agent.Part{text("go")}},
		{Role: agent.RoleAssistant, Parts: []agent.Part{call("a", "x", `{}`)}},
		{Role: agent.RoleUser, Parts: []agent.Part{result("a")}},
	}}
	require.ErrorContains(t, notSent(t, nil, retired), "is not offered")
}

// Reasoning is sent back unchanged; reasoning without a signature is not sent.
func TestReasoningGolden(t *testing.T) {
	t.Parallel()
	thinks := func(r agent.Reasoning) agent.Part { return agent.Part{Reasoning: &r} }
	goldens(t, nil, map[string]*agent.Request{"reasoning": {
		Messages: []agent.Message{
			{Role: agent.RoleUser, Parts: []agent.Part{text("go")}},
			{Role: agent.RoleAssistant, Parts: []agent.Part{
				thinks(agent.Reasoning{Text: " Hm \n", Signature: "c2ln"}), thinks(agent.Reasoning{Signature: "YWxvbmU="}),
				thinks(agent.Reasoning{Redacted: []byte("\x00secret")}), thinks(agent.Reasoning{Text: "unsigned"}),
				call("a", "x", `{}`),
			}},
			{Role: agent.RoleUser, Parts: []agent.Part{result("a")}},
			{Role: agent.RoleAssistant, Parts: []agent.Part{thinks(agent.Reasoning{Text: "nothing else"})}},
			{Role: agent.RoleUser, Parts: []agent.Part{text("and?")}},
		},
		Tools: []tools.Spec{{Name: "x", Schema: []byte(`{"type":"object"}`)}},
	}})
}

// The next request contains the answer of a stream unchanged.
func TestReasoningRoundTrip(t *testing.T) {
	t.Parallel()
	script := bt.NewScript(
		bt.Reply(bt.Reasoning("c2ln", chunks("Hm, \"é\" 📚\n", 1)...), bt.Redacted([]byte("\x00\xff")), bt.Text("So.")),
		bt.Reply(bt.Text("ok")),
	)
	bubble(t, script, nil, func(t *testing.T, m *bedrock.Model) {
		deltas, err := collect(t, t.Context(), m, ask("?"))
		require.NoError(t, err)
		said := agent.Message{Role: agent.RoleAssistant}
		for _, d := range deltas {
			switch d := d.(type) {
			case agent.ReasoningPart:
				said.Parts = append(said.Parts, agent.Part{Reasoning: &d.Reasoning})
			case agent.TextDelta:
				said.Parts = append(said.Parts, text(d.Text))
			}
		}
		r := ask("?")
		r.Messages = append(r.Messages, said, agent.Message{Role: agent.RoleUser, Parts: []agent.Part{text("Sure?")}})
		_, err = collect(t, t.Context(), m, r)
		require.NoError(t, err)
		require.Equal(t, r.Messages, script.Requests()[1].Messages)
		require.Equal(t, "Hm, \"é\" 📚\n", said.Parts[0].Reasoning.Text)
	})
}

// Cache points are at the expected places, and the service accepts them.
func TestCacheGoldens(t *testing.T) {
	t.Parallel()
	cached := func(r agent.Request) *agent.Request { r.Cache = true; return &r }
	x := []tools.Spec{{Name: "x", Schema: []byte(`{"type":"object"}`)}, {Name: "y", Schema: []byte(`{"type":"object"}`)}}
	conversation := agent.Request{
		System: "You know books.",
		Messages: []agent.Message{
			{Role: agent.RoleUser, Parts: []agent.Part{text("one")}},
			{Role: agent.RoleAssistant, Parts: []agent.Part{text("1"), call("a", "x", `{}`)}},
			{Role: agent.RoleUser, Parts: []agent.Part{result("a")}},
			{Role: agent.RoleAssistant, Parts: []agent.Part{text("2")}},
			{Role: agent.RoleUser, Parts: []agent.Part{text("three"), doc("md", "# 3")}},
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
	results.Messages = append(results.Messages[:2:2], agent.Message{Role: agent.RoleUser, Parts: []agent.Part{
		result("a", tools.Block{Text: "a page"}, tools.Block{Document: &tools.Media{Format: "md", Bytes: []byte("x")}}),
	}})
	require.Equal(t, 3, sent(t, nil, cached(results)).CachePoints)
}
