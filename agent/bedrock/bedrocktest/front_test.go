package bedrocktest_test

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/http/httptest"
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

// fake is a model made of a function.
type fake func(ctx context.Context, r *agent.Request, yield func(agent.Delta, error) bool)

func (f fake) Stream(ctx context.Context, r *agent.Request) iter.Seq2[agent.Delta, error] {
	return func(yield func(agent.Delta, error) bool) { f(ctx, r, yield) }
}

// yields is a model that says the given deltas and then fails with err, if there is one.
func yields(err error, deltas ...agent.Delta) fake {
	return func(_ context.Context, _ *agent.Request, yield func(agent.Delta, error) bool) {
		for _, d := range deltas {
			if !yield(d, nil) {
				return
			}
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

// through runs f with a bedrock.Model that reaches m over the wire, in a bubble that finds leaked goroutines.
func through(t *testing.T, m agent.Model, f func(t *testing.T, m *bedrock.Model, c *bedrockruntime.Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		client, stop := memnet.Serve(bt.Front(m))
		defer stop()
		c := bt.NewClient(memnet.URL, func(o *bedrockruntime.Options) { o.HTTPClient = client })
		f(t, must(bedrock.New(c, "any-model", nil)), c)
	})
}

func collect(ctx context.Context, m agent.Model, r *agent.Request) (deltas []agent.Delta, err error) {
	for d, e := range m.Stream(ctx, r) {
		if e != nil {
			return deltas, e
		}
		deltas = append(deltas, d)
	}
	return deltas, nil
}

func ask() *agent.Request {
	return &agent.Request{
		Messages:  []agent.Message{{Role: agent.RoleUser, Parts: []agent.Part{{Text: "?"}}}},
		MaxTokens: 100,
	}
}

// Requests and answers arrive unchanged.
func TestFrontCarriesEverything(t *testing.T) {
	t.Parallel()
	request := &agent.Request{
		System: "You know books.",
		Messages: []agent.Message{
			{Role: agent.RoleUser, Parts: []agent.Part{
				{Text: "Which book is this? 📚"},
				{Image: &tools.Media{Format: "png", Bytes: []byte("\x89PNG")}},
				{Document: &tools.Media{Format: "md", Bytes: []byte("# Emma")}},
			}},
			{Role: agent.RoleAssistant, Parts: []agent.Part{
				{Reasoning: &agent.Reasoning{Text: "Hm \"é\".", Signature: "c2ln"}},
				{Reasoning: &agent.Reasoning{Signature: "c2ln"}},
				{Reasoning: &agent.Reasoning{Redacted: []byte("\x00secret")}},
				{Text: "Let me look."},
				{Use: &agent.ToolUse{ID: "a", Name: "look_up", Input: json.RawMessage(`{"isbn":"978","n":1e400}`)}},
				{Use: &agent.ToolUse{ID: "b", Name: "scan", Input: json.RawMessage(`{}`)}},
			}},
			{Role: agent.RoleUser, Parts: []agent.Part{
				{Result: &agent.ToolResult{ID: "a", Result: tools.Result{Blocks: []tools.Block{
					{JSON: json.RawMessage(`{"title":"Emma"}`)}, {Text: "found"},
					{Image: &tools.Media{Format: "webp", Bytes: []byte("RIFF")}},
					{Document: &tools.Media{Format: "pdf", Bytes: []byte("%PDF")}},
				}}}},
				{Result: &agent.ToolResult{ID: "b", Result: tools.Result{Blocks: []tools.Block{{Text: "no barcode"}}, IsError: true}}},
				{Text: "Go on."},
			}},
		},
		Tools: []tools.Spec{
			{Name: "look_up", Description: "Looks a book up.", Schema: json.RawMessage(`{"type":"object","properties":{"isbn":{"type":"string"}}}`)},
			{Name: "scan", Schema: json.RawMessage(`{"type":"object"}`)},
		},
		Output: &tools.Spec{Name: "final_answer", Description: "The answer.",
			Schema: json.RawMessage(`{"type":"object","properties":{"title":{"type":"string"}},"additionalProperties":false}`)},
		MaxTokens: 321,
		Choice:    agent.Choice{Name: "scan"},
		Cache:     true,
	}
	answer := []agent.Delta{
		agent.ReasoningDelta{Text: "Hm"}, agent.ReasoningDelta{Text: "."},
		agent.ReasoningPart{Reasoning: agent.Reasoning{Text: "Hm.", Signature: "c2ln"}},
		agent.ReasoningPart{Reasoning: agent.Reasoning{Redacted: []byte("\x00secret")}},
		agent.TextDelta{Text: "So \"it\"\n"}, agent.TextDelta{Text: "is\u2028 <b> \x01"},
		agent.UseDelta{ID: "c", Name: "look_up", Input: `{"isbn"`}, agent.UseDelta{ID: "f", Name: "scan", Input: `{`},
		agent.TextDelta{Text: "meanwhile"},
		agent.UseDelta{ID: "c", Name: "look_up", Input: `: "979"}`},
		agent.UsePart{ToolUse: agent.ToolUse{ID: "c", Name: "look_up", Input: json.RawMessage(`{"isbn": "979"}`)}},
		agent.UseDelta{ID: "f", Name: "scan", Input: `}`},
		agent.UsePart{ToolUse: agent.ToolUse{ID: "f", Name: "scan", Input: json.RawMessage(`{}`)}},
		agent.UsePart{ToolUse: agent.ToolUse{ID: "d", Name: "scan"}},
		agent.UseDelta{ID: "e", Name: "scan", Input: `{"no json`},
		agent.UsePart{ToolUse: agent.ToolUse{ID: "e", Name: "scan", Input: json.RawMessage(`{"no json`)}},
		agent.TextDelta{Text: "and more"},
		agent.CitationPart{Citation: agent.Citation{Text: "and more", Source: "s", Title: "t", Quotes: []string{"q"},
			Location: agent.Location{Kind: "chunk", Index: 1, Start: 2, End: 3}}},
		agent.CitationPart{Citation: agent.Citation{Text: "and more", Location: agent.Location{Kind: "web", URL: "https://example.com"}}},
		agent.TextDelta{Text: "!"},
		agent.StopPart{Reason: agent.StopToolUse},
		agent.UsageReport{Usage: agent.Usage{Input: 1, Output: 2, CacheRead: 3, CacheWrite: 4}},
	}
	var got *agent.Request
	model := fake(func(ctx context.Context, r *agent.Request, yield func(agent.Delta, error) bool) {
		got = r
		yields(nil, answer...)(ctx, r, yield)
	})
	through(t, structuring{model}, func(t *testing.T, m *bedrock.Model, _ *bedrockruntime.Client) {
		deltas, err := collect(t.Context(), m, request)
		require.NoError(t, err)
		require.Equal(t, answer, deltas)
		require.Equal(t, request, got)
	})
}

func TestFrontCarriesStopReasons(t *testing.T) {
	t.Parallel()
	for _, reason := range []agent.StopReason{
		agent.StopEndTurn, agent.StopToolUse, agent.StopSequence, agent.StopMaxTokens, agent.StopContentFiltered, agent.StopContextWindow, agent.StopMalformed,
	} {
		through(t, yields(nil, agent.StopPart{Reason: reason}), func(t *testing.T, m *bedrock.Model, _ *bedrockruntime.Client) {
			deltas, err := collect(t.Context(), m, ask())
			require.NoError(t, err)
			require.Equal(t, agent.StopPart{Reason: reason}, deltas[0])
		})
	}
}

// An error of the model is the same error at the client, before the first delta and after it.
func TestFrontCarriesErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in             agent.Code
		before, during agent.Code
		stop           agent.StopReason // in place of an error
	}{
		{in: agent.CodeThrottled, before: agent.CodeThrottled, during: agent.CodeThrottled},
		{in: agent.CodeAccessDenied, before: agent.CodeAccessDenied, during: agent.CodeAccessDenied},
		{in: agent.CodeInvalidCall, before: agent.CodeInvalidCall, during: agent.CodeInvalidCall},
		{in: agent.CodeUnavailable, before: agent.CodeUnavailable, during: agent.CodeUnavailable},
		{in: agent.CodeTimeout, before: agent.CodeTimeout, during: agent.CodeTimeout},
		{in: agent.CodeTruncated, before: agent.CodeTruncated, during: agent.CodeTruncated},
		{in: agent.CodeInternal, before: agent.CodeUnavailable, during: agent.CodeUnavailable},
		{in: agent.CodeFiltered, stop: agent.StopContentFiltered},
		{in: agent.CodeContextFull, stop: agent.StopContextWindow},
		{in: agent.CodeMalformed, stop: agent.StopMalformed},
	} {
		t.Run(string(c.in), func(t *testing.T) {
			failure := &agent.ModelError{Code: c.in, Message: "as you see", Err: errors.New("the secret cause")}
			for _, said := range [][]agent.Delta{nil, {agent.TextDelta{Text: "It"}}} {
				through(t, yields(failure, said...), func(t *testing.T, m *bedrock.Model, _ *bedrockruntime.Client) {
					deltas, err := collect(t.Context(), m, ask())
					if c.stop != "" {
						require.NoError(t, err)
						require.Contains(t, deltas, agent.StopPart{Reason: c.stop})
						return
					}
					require.Equal(t, said, deltas)
					me, ok := errors.AsType[*agent.ModelError](err)
					require.True(t, ok)
					require.NotContains(t, err.Error(), "secret")
					if len(said) == 0 {
						require.Equal(t, c.before, me.Code)
					} else {
						require.Equal(t, c.during, me.Code)
					}
				})
			}
		})
	}
	t.Run("of another type", func(t *testing.T) {
		through(t, yields(errors.New("the secret cause")), func(t *testing.T, m *bedrock.Model, _ *bedrockruntime.Client) {
			_, err := collect(t.Context(), m, ask())
			require.ErrorContains(t, err, "InternalServerException")
			require.NotContains(t, err.Error(), "secret")
		})
	})
	t.Run("no end", func(t *testing.T) {
		through(t, yields(nil, agent.TextDelta{Text: "It"}), func(t *testing.T, m *bedrock.Model, _ *bedrockruntime.Client) {
			_, err := collect(t.Context(), m, ask())
			me, ok := errors.AsType[*agent.ModelError](err)
			require.True(t, ok)
			require.Equal(t, agent.CodeTruncated, me.Code)
		})
	})
}

// A client that goes away cancels the model, whether it is speaking or thinking.
func TestFrontCancelsTheModel(t *testing.T) {
	t.Parallel()
	ended := make(chan error, 1)
	model := fake(func(ctx context.Context, _ *agent.Request, yield func(agent.Delta, error) bool) {
		yield(agent.TextDelta{Text: "It"}, nil)
		<-ctx.Done()
		ended <- ctx.Err()
	})
	server := httptest.NewServer(bt.Front(model))
	defer server.Close()
	c := bt.NewClient(server.URL, func(o *bedrockruntime.Options) { o.HTTPClient = server.Client() })
	for range must(bedrock.New(c, "any-model", nil)).Stream(t.Context(), ask()) {
		break
	}
	require.Equal(t, context.Canceled, <-ended)
}

// A part may say more than its deltas, or have had none: the rest follows.
func TestFrontSaysTheRest(t *testing.T) {
	t.Parallel()
	call := agent.UsePart{ToolUse: agent.ToolUse{ID: "a", Name: "scan", Input: json.RawMessage(`{"n":1}`)}}
	thought := agent.ReasoningPart{Reasoning: agent.Reasoning{Text: "Hm.", Signature: "c2ln"}}
	alone := agent.ReasoningPart{Reasoning: agent.Reasoning{Signature: "YWxvbmU="}}
	model := yields(nil,
		agent.UseDelta{ID: "a", Name: "scan", Input: `{"n"`}, call,
		agent.ReasoningDelta{Text: "H"}, thought, thought, alone, agent.ReasoningPart{},
		agent.StopPart{Reason: agent.StopToolUse},
	)
	through(t, model, func(t *testing.T, m *bedrock.Model, _ *bedrockruntime.Client) {
		deltas, err := collect(t.Context(), m, ask())
		require.NoError(t, err)
		require.Equal(t, []agent.Delta{
			agent.UseDelta{ID: "a", Name: "scan", Input: `{"n"`}, agent.UseDelta{ID: "a", Name: "scan", Input: `:1}`}, call,
			agent.ReasoningDelta{Text: "H"}, agent.ReasoningDelta{Text: "m."}, thought,
			agent.ReasoningDelta{Text: "Hm."}, thought, alone,
			agent.StopPart{Reason: agent.StopToolUse}, agent.UsageReport{},
		}, deltas)
	})
}

// A model whose parts do not hold what its deltas have said, or never come, does not get through as a whole answer.
func TestFrontOfAModelThatContradictsItself(t *testing.T) {
	t.Parallel()
	part := func(input string) agent.UsePart {
		return agent.UsePart{ToolUse: agent.ToolUse{ID: "a", Name: "scan", Input: json.RawMessage(input)}}
	}
	thought := func(text string) agent.ReasoningPart {
		return agent.ReasoningPart{Reasoning: agent.Reasoning{Text: text, Signature: "c2ln"}}
	}
	for name, c := range map[string]struct {
		deltas []agent.Delta
		code   agent.Code
	}{
		"other input":        {[]agent.Delta{agent.UseDelta{ID: "a", Name: "scan", Input: `{"n`}, part(`{"m":1}`)}, agent.CodeUnavailable},
		"less input":         {[]agent.Delta{agent.UseDelta{ID: "a", Name: "scan", Input: `{}}`}, part(`{}`)}, agent.CodeUnavailable},
		"another name":       {[]agent.Delta{agent.UseDelta{ID: "a", Name: "look", Input: `{`}, part(`{}`)}, agent.CodeUnavailable},
		"two names":          {[]agent.Delta{agent.UseDelta{ID: "a", Name: "look", Input: `{`}, agent.UseDelta{ID: "a", Name: "scan", Input: `}`}}, agent.CodeUnavailable},
		"no call":            {[]agent.Delta{agent.UseDelta{ID: "a", Name: "scan", Input: `{}`}}, agent.CodeTruncated},
		"another thought":    {[]agent.Delta{agent.ReasoningDelta{Text: "Hm"}, thought("Ah")}, agent.CodeUnavailable},
		"no thought":         {[]agent.Delta{agent.ReasoningDelta{Text: "Hm"}}, agent.CodeTruncated},
		"a redacted thought": {[]agent.Delta{agent.ReasoningDelta{Text: "Hm"}, agent.ReasoningPart{Reasoning: agent.Reasoning{Redacted: []byte("x")}}}, agent.CodeUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			model := yields(nil, append(c.deltas, agent.StopPart{Reason: agent.StopEndTurn})...)
			through(t, model, func(t *testing.T, m *bedrock.Model, _ *bedrockruntime.Client) {
				deltas, err := collect(t.Context(), m, ask())
				me, ok := errors.AsType[*agent.ModelError](err)
				require.True(t, ok)
				require.Equal(t, c.code, me.Code)
				for _, d := range deltas {
					_, whole := d.(agent.UsePart)
					require.False(t, whole)
				}
			})
		})
	}
}

// must returns the model of a call of New that does not fail.
func must(m *bedrock.Model, err error) *bedrock.Model {
	if err != nil {
		panic(err)
	}
	return m
}
