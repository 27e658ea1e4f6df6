package bedrock_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/bedrock"
	bt "github.com/carrel-go/carrel/agent/bedrock/bedrocktest"
)

func use(id, name, input string) agent.UsePart {
	return agent.UsePart{ToolUse: agent.ToolUse{ID: id, Name: name, Input: []byte(input)}}
}

func fragment(id, name, input string) agent.UseDelta {
	return agent.UseDelta{ID: id, Name: name, Input: input}
}

func thought(text, signature string) agent.ReasoningPart {
	return agent.ReasoningPart{Reasoning: agent.Reasoning{Text: text, Signature: signature}}
}

// typedCall returns a call whose start has a type, as newer Claude models send it.
func typedCall(index int, kind, id, name, input string) []bt.Piece {
	start := fmt.Sprintf(`{"contentBlockIndex":%d,"start":{"toolUse":{"toolUseId":%q,"name":%q,"type":%q}}}`, index, id, name, kind)
	delta := fmt.Sprintf(`{"contentBlockIndex":%d,"delta":{"toolUse":{"input":%q}}}`, index, input)
	stop := fmt.Sprintf(`{"contentBlockIndex":%d}`, index)
	return []bt.Piece{bt.Event("contentBlockStart", start), bt.Event("contentBlockDelta", delta), bt.Event("contentBlockStop", stop)}
}

// chunks cuts s into fragments of n bytes, the last of which may be shorter.
func chunks(s string, n int) (fragments []string) {
	for c := range slices.Chunk([]byte(s), n) {
		fragments = append(fragments, string(c))
	}
	return fragments
}

func skipped(kind string) agent.SkippedPart { return agent.SkippedPart{Kind: kind} }

func cited(text string, c agent.Citation) agent.CitationPart {
	c.Text = text
	return agent.CitationPart{Citation: c}
}

var (
	leave = agent.Citation{Title: "Document 1", Quotes: []string{"20 days"}, Location: agent.Location{Kind: "page", Start: 1, End: 2}}
	web   = agent.Citation{Source: "search", Location: agent.Location{Kind: "web", URL: "https://example.com/a", Domain: "example.com"}}
)

func TestAnswers(t *testing.T) {
	t.Parallel()
	noUsage := agent.UsageReport{}
	for name, c := range map[string]struct {
		pieces []bt.Piece
		want   []agent.Delta
	}{
		"text": {
			[]bt.Piece{bt.Text("Hel", "lo"), bt.Usage(agent.Usage{Input: 7, Output: 2})},
			[]agent.Delta{agent.TextDelta{Text: "Hel"}, agent.TextDelta{Text: "lo"}, agent.StopPart{Reason: agent.StopEndTurn},
				agent.UsageReport{Usage: agent.Usage{Input: 7, Output: 2}}},
		},
		"nothing": {
			nil,
			[]agent.Delta{agent.StopPart{Reason: agent.StopEndTurn}, noUsage},
		},
		"tool input arrives whole and byte for byte": {
			[]bt.Piece{bt.Text("So:"), bt.ToolUse("a", "look_up", `{"x":`, ` "`, "\xc3", "\xa9", `\n",`, `"n":1e400}`), bt.ToolUse("b", "look_up", `{}`)},
			[]agent.Delta{agent.TextDelta{Text: "So:"},
				fragment("a", "look_up", `{"x":`), fragment("a", "look_up", ` "`), fragment("a", "look_up", "é"),
				fragment("a", "look_up", `\n",`), fragment("a", "look_up", `"n":1e400}`),
				use("a", "look_up", `{"x": "é\n","n":1e400}`),
				fragment("b", "look_up", `{}`), use("b", "look_up", `{}`),
				agent.StopPart{Reason: agent.StopToolUse}, noUsage},
		},
		"a call is one whatever its type, unless the service runs it": {
			slices.Concat(typedCall(0, "tool_use", "a", "one", `{}`), typedCall(1, "server_tool_use", "s", "web", `{}`),
				typedCall(2, "from_the_future", "b", "two", `{}`), []bt.Piece{bt.Stop("tool_use")}),
			[]agent.Delta{fragment("a", "one", `{}`), use("a", "one", `{}`), skipped("server_tool_use"), fragment("b", "two", `{}`), use("b", "two", `{}`),
				agent.StopPart{Reason: agent.StopToolUse}, noUsage},
		},
		"tool input that is no JSON is passed on as it is": {
			[]bt.Piece{bt.ToolUse("a", "look_up", `{"isbn": 97`)},
			[]agent.Delta{fragment("a", "look_up", `{"isbn": 97`), use("a", "look_up", `{"isbn": 97`), agent.StopPart{Reason: agent.StopToolUse}, noUsage},
		},
		"a call without arguments has no input": {
			[]bt.Piece{bt.ToolUse("a", "scan"), bt.ToolUse("b", "scan", "")},
			[]agent.Delta{agent.UsePart{ToolUse: agent.ToolUse{ID: "a", Name: "scan"}},
				agent.UsePart{ToolUse: agent.ToolUse{ID: "b", Name: "scan"}}, agent.StopPart{Reason: agent.StopToolUse}, noUsage},
		},
		"blocks interleave": {
			[]bt.Piece{
				bt.Event("contentBlockStart", `{"contentBlockIndex":3,"start":{"toolUse":{"toolUseId":"b","name":"two"}}}`),
				bt.Event("contentBlockStart", `{"contentBlockIndex":1,"start":{"toolUse":{"toolUseId":"a","name":"one"}}}`),
				bt.Event("contentBlockDelta", `{"contentBlockIndex":1,"delta":{"toolUse":{"input":"{\"n\""}}}`),
				bt.Event("contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":"Hm"}}`),
				bt.Event("contentBlockDelta", `{"contentBlockIndex":3,"delta":{"toolUse":{"input":"{\"n\":2"}}}`),
				bt.Event("contentBlockDelta", `{"contentBlockIndex":1,"delta":{"toolUse":{"input":":1}"}}}`),
				bt.Event("contentBlockStop", `{"contentBlockIndex":0}`),
				bt.Event("contentBlockStop", `{"contentBlockIndex":1}`),
				bt.Event("contentBlockDelta", `{"contentBlockIndex":3,"delta":{"toolUse":{"input":"}"}}}`),
				bt.Event("contentBlockStop", `{"contentBlockIndex":3}`),
			},
			[]agent.Delta{fragment("a", "one", `{"n"`), agent.TextDelta{Text: "Hm"}, fragment("b", "two", `{"n":2`),
				fragment("a", "one", `:1}`), use("a", "one", `{"n":1}`), fragment("b", "two", `}`), use("b", "two", `{"n":2}`),
				agent.StopPart{Reason: agent.StopEndTurn}, noUsage},
		},
		"text is never dropped, whatever comes before it in its block": {
			[]bt.Piece{
				bt.Event("contentBlockDelta", `{"contentBlockIndex":0,"delta":{"hologram":"x"}}`),
				bt.Event("contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":"On"}}`),
				bt.Event("contentBlockStop", `{"contentBlockIndex":0}`),
				bt.Event("contentBlockStart", `{"contentBlockIndex":1,"start":{"text":{}}}`),
				bt.Event("contentBlockDelta", `{"contentBlockIndex":1,"delta":{"text":"e"}}`),
				bt.Event("contentBlockStop", `{"contentBlockIndex":1}`),
				bt.Event("contentBlockStart", `{"contentBlockIndex":2,"start":{"thinking":{}}}`),
				bt.Event("contentBlockDelta", `{"contentBlockIndex":2,"delta":{"reasoningContent":{"text":"Hm"}}}`),
				bt.Event("contentBlockStop", `{"contentBlockIndex":2}`),
			},
			[]agent.Delta{skipped("unknown:delta"), agent.TextDelta{Text: "On"}, agent.TextDelta{Text: "e"},
				agent.ReasoningDelta{Text: "Hm"}, thought("Hm", ""), agent.StopPart{Reason: agent.StopEndTurn}, noUsage},
		},
		"a citation that comes first in its block": {
			[]bt.Piece{bt.Text("Employees receive "),
				bt.CitedText([]agent.Citation{leave, web}, "20 days", " annual leave"), bt.Text(". For more")},
			[]agent.Delta{agent.TextDelta{Text: "Employees receive "}, agent.TextDelta{Text: "20 days"}, agent.TextDelta{Text: " annual leave"},
				cited("20 days annual leave", leave), cited("20 days annual leave", web), agent.TextDelta{Text: ". For more"},
				agent.StopPart{Reason: agent.StopEndTurn}, noUsage},
		},
		"a citation that comes last in its block, or alone": {
			[]bt.Piece{
				bt.Event("contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":"caf\u00e9"}}`),
				bt.Event("contentBlockDelta", `{"contentBlockIndex":0,"delta":{"citation":{"title":"A page"}}}`),
				bt.Event("contentBlockStop", `{"contentBlockIndex":0}`),
				bt.Event("contentBlockDelta", `{"contentBlockIndex":1,"delta":{"citation":{"location":{"dream":{}}}}}`),
				bt.Event("contentBlockStop", `{"contentBlockIndex":1}`),
			},
			[]agent.Delta{agent.TextDelta{Text: "café"}, skipped("unknown:location"), cited("café", agent.Citation{Title: "A page"}),
				skipped("unknown:location"), cited("", agent.Citation{}), agent.StopPart{Reason: agent.StopEndTurn}, noUsage},
		},
		"text and reasoning in a skipped block are passed on": {
			[]bt.Piece{
				bt.Event("contentBlockStart", `{"contentBlockIndex":0,"start":{"toolUse":{"toolUseId":"s","name":"web","type":"server_tool_use"}}}`),
				bt.Event("contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":"On"}}`),
				bt.Event("contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":"e"}}`),
				bt.Event("contentBlockStop", `{"contentBlockIndex":0}`),
				bt.Event("contentBlockStart", `{"contentBlockIndex":1,"start":{"image":{"format":"png"}}}`),
				bt.Event("contentBlockDelta", `{"contentBlockIndex":1,"delta":{"reasoningContent":{"text":"Hm"}}}`),
				bt.Event("contentBlockStop", `{"contentBlockIndex":1}`),
			},
			[]agent.Delta{skipped("server_tool_use"), agent.TextDelta{Text: "On"}, agent.TextDelta{Text: "e"}, skipped("image"),
				agent.ReasoningDelta{Text: "Hm"}, thought("Hm", ""), agent.StopPart{Reason: agent.StopEndTurn}, noUsage},
		},
		"every place of a citation": {
			[]bt.Piece{bt.CitedText([]agent.Citation{{Location: agent.Location{Kind: "char", Index: 1, Start: 2, End: 3}},
				{Location: agent.Location{Kind: "chunk", Index: 1, Start: 2, End: 3}},
				{Location: agent.Location{Kind: "search_result", Index: 1, Start: 2, End: 3}, Source: "s", Quotes: []string{"a", "b"}}}, "So.")},
			[]agent.Delta{agent.TextDelta{Text: "So."}, cited("So.", agent.Citation{Location: agent.Location{Kind: "char", Index: 1, Start: 2, End: 3}}),
				cited("So.", agent.Citation{Location: agent.Location{Kind: "chunk", Index: 1, Start: 2, End: 3}}),
				cited("So.", agent.Citation{Location: agent.Location{Kind: "search_result", Index: 1, Start: 2, End: 3}, Source: "s", Quotes: []string{"a", "b"}}),
				agent.StopPart{Reason: agent.StopEndTurn}, noUsage},
		},
		"what is not known is skipped": {
			[]bt.Piece{
				bt.Event("weather", `{"sun":true}`),
				bt.Event("contentBlockDelta", `{"contentBlockIndex":0,"delta":{"reasoningContent":{"dream":"Well"}}}`),
				bt.Event("contentBlockStop", `{"contentBlockIndex":0}`),
				bt.Event("contentBlockStart", `{"contentBlockIndex":1,"start":{"hologram":{"size":3}}}`),
				bt.Event("contentBlockDelta", `{"contentBlockIndex":1,"delta":{"hologram":"x"}}`),
				bt.Event("contentBlockStop", `{"contentBlockIndex":1}`),
				bt.Event("contentBlockStart", `{"contentBlockIndex":2,"start":{"toolUse":{"toolUseId":"s","name":"web","type":"server_tool_use"}}}`),
				bt.Event("contentBlockDelta", `{"contentBlockIndex":2,"delta":{"toolUse":{"input":"{}"}}}`),
				bt.Event("contentBlockStop", `{"contentBlockIndex":2}`),
				bt.Event("contentBlockDelta", `{"contentBlockIndex":4,"delta":{"text":"Yes"},"p":"abcdefgh"}`),
				bt.Event("contentBlockStop", `{"contentBlockIndex":4}`),
				bt.Event("contentBlockStop", `{"contentBlockIndex":5}`),
				bt.Event("contentBlockStart", `{"contentBlockIndex":6,"start":{"toolResult":{"toolUseId":"s","type":"web_result"}}}`),
				bt.Event("contentBlockDelta", `{"contentBlockIndex":6,"delta":{"toolResult":[{"json":{"a":1}},{"text":"b"}]}}`),
				bt.Event("contentBlockDelta", `{"contentBlockIndex":6,"delta":{"toolResult":[{"hologram":1}]}}`),
				bt.Event("contentBlockStop", `{"contentBlockIndex":6}`),
				bt.Event("contentBlockStart", `{"contentBlockIndex":7,"start":{"image":{"format":"png"}}}`),
				bt.Event("contentBlockDelta", `{"contentBlockIndex":7,"delta":{"image":{"source":{"bytes":"AAAA"}}}}`),
				bt.Event("contentBlockStop", `{"contentBlockIndex":7}`),
				bt.Event("contentBlockStart", `{"contentBlockIndex":8,"start":{"hologram":{"size":3}}}`),
				bt.Event("contentBlockStop", `{"contentBlockIndex":8}`),
			},
			[]agent.Delta{skipped("unknown:weather"), skipped("unknown:reasoning"), skipped("unknown:delta"), skipped("server_tool_use"),
				agent.TextDelta{Text: "Yes"}, skipped("tool_result"), skipped("image"),
				skipped("unknown:start"), agent.StopPart{Reason: agent.StopEndTurn}, noUsage},
		},
		"reasoning arrives as it comes, and whole with its signature": {
			[]bt.Piece{bt.Reasoning("c2ln", "We", "ll \xc3", "\xa9."), bt.Text("Yes")},
			[]agent.Delta{agent.ReasoningDelta{Text: "We"}, agent.ReasoningDelta{Text: "ll "}, agent.ReasoningDelta{Text: "é."},
				thought("Well é.", "c2ln"), agent.TextDelta{Text: "Yes"}, agent.StopPart{Reason: agent.StopEndTurn}, noUsage},
		},
		"a signature in pieces, without text, and text without a signature": {
			[]bt.Piece{
				bt.Event("contentBlockDelta", `{"contentBlockIndex":7,"delta":{"reasoningContent":{"signature":"c2"}}}`),
				bt.Event("contentBlockDelta", `{"contentBlockIndex":7,"delta":{"reasoningContent":{"signature":"ln"}}}`),
				bt.Event("contentBlockStop", `{"contentBlockIndex":7}`),
				bt.Reasoning("", "Hm"),
			},
			[]agent.Delta{thought("", "c2ln"), agent.ReasoningDelta{Text: "Hm"}, thought("Hm", ""), agent.StopPart{Reason: agent.StopEndTurn}, noUsage},
		},
		"redacted reasoning": {
			[]bt.Piece{bt.Redacted([]byte("\x00secret"))},
			[]agent.Delta{agent.ReasoningPart{Reasoning: agent.Reasoning{Redacted: []byte("\x00secret")}}, agent.StopPart{Reason: agent.StopEndTurn}, noUsage},
		},
		"everything side by side": {
			[]bt.Piece{bt.Interleave(
				bt.Reasoning("c2ln", "Hm", "."), bt.Text("So", "."), bt.ToolUse("a", "one", `{"n":`, `1}`), bt.ToolUse("b", "two", `{}`),
			)},
			[]agent.Delta{
				agent.ReasoningDelta{Text: "Hm"}, agent.TextDelta{Text: "So"},
				agent.ReasoningDelta{Text: "."}, agent.TextDelta{Text: "."}, fragment("a", "one", `{"n":`), fragment("b", "two", `{}`),
				fragment("a", "one", `1}`), use("b", "two", `{}`),
				thought("Hm.", "c2ln"), use("a", "one", `{"n":1}`),
				agent.StopPart{Reason: agent.StopToolUse}, noUsage,
			},
		},
		"what the cache gave": {
			[]bt.Piece{bt.Usage(agent.Usage{Input: 7, Output: 2, CacheRead: 100, CacheWrite: 20})},
			[]agent.Delta{agent.StopPart{Reason: agent.StopEndTurn},
				agent.UsageReport{Usage: agent.Usage{Input: 7, Output: 2, CacheRead: 100, CacheWrite: 20}}},
		},
		"a rune in two halves is put together": {
			[]bt.Piece{bt.Text("caf\xc3", "\xa9 \xf0", "\x9f", "\x93", "\x9a!", "\xe2\x82")},
			[]agent.Delta{agent.TextDelta{Text: "caf"}, agent.TextDelta{Text: "é "}, agent.TextDelta{Text: "📚!"}, agent.TextDelta{Text: "\xe2\x82"},
				agent.StopPart{Reason: agent.StopEndTurn}, noUsage},
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, bt.NewScript(bt.Reply(c.pieces...)), nil, func(t *testing.T, m *bedrock.Model) {
				got, err := collect(t, t.Context(), m, ask("?"))
				require.NoError(t, err)
				require.Equal(t, c.want, got)
			})
		})
	}
}

func TestStopReasons(t *testing.T) {
	t.Parallel()
	for wire, want := range map[string]agent.StopReason{
		"end_turn": agent.StopEndTurn, "tool_use": agent.StopToolUse, "max_tokens": agent.StopMaxTokens,
		"stop_sequence": agent.StopSequence, "guardrail_intervened": agent.StopContentFiltered,
		"content_filtered": agent.StopContentFiltered, "model_context_window_exceeded": agent.StopContextWindow,
		"malformed_model_output": agent.StopMalformed, "malformed_tool_use": agent.StopMalformed,
		"refusal": "refusal", "pause_turn": "pause_turn", // the list is open
	} {
		bubble(t, bt.NewScript(bt.Reply(bt.Stop(wire))), nil, func(t *testing.T, m *bedrock.Model) {
			got, err := collect(t, t.Context(), m, ask("?"))
			require.NoError(t, err)
			require.Contains(t, got, agent.StopPart{Reason: want}, wire)
		})
	}
}
