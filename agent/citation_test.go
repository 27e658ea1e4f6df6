package agent

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"

	"github.com/carrel-go/carrel/tools"
)

func cites(text, title string) CitationPart {
	return CitationPart{Citation{Text: text, Title: title, Location: Location{Kind: "page", Start: 1, End: 2}}}
}

// Citations are separate events and parts. No text is lost or repeated.
func TestCitationsFollowTheirText(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer step
		parts  []string // of the history: text, or "[title]" of a citation
	}{
		"in the middle": {
			step{text("Employees receive "), text("20 days "), text("annual leave"), cites("20 days annual leave", "Policy"), text(". For more"), end},
			[]string{"Employees receive ", "20 days annual leave", "[Policy]", ". For more"},
		},
		"two for one text": {
			step{text("A."), cites("A.", "one"), cites("A.", "two"), text("B."), cites("B.", "three"), end},
			[]string{"A.", "[one]", "[two]", "B.", "[three]"},
		},
		"white space between":      {step{text("A."), cites("A.", "one"), text("\n\n"), text("B."), cites("B.", "two"), end}, []string{"A.", "[one]", "\n\nB.", "[two]"}},
		"of a text that differs":   {step{text("A."), cites("C.", "one"), text("B."), end}, []string{"A.", "[one]", "B."}},
		"without a text":           {step{text("A."), cites("", "one"), text("B."), end}, []string{"A.", "[one]", "B."}},
		"before a call":            {step{text("A."), cites("A.", "one"), use("c1", "echo", `{"word":"a"}`), calls}, []string{"A.", "[one]", "call"}},
		"with nothing said at all": {step{cites("", "one"), end}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := play(c.answer, step{text("."), end})
			a := newAgent(t, m, Limits{}, echo(t))
			var want string
			for _, piece := range c.answer {
				if p, ok := piece.(TextDelta); ok {
					want += p.Text
				}
			}
			evs, failed := drain(t, a, t.Context(), Input{Scope: tenant(t, "acme"), Prompt: "How much leave?"})
			require.Nil(t, failed)
			got, cited, called := countPieces(evs)
			require.Equal(t, want+strings.Repeat(".", called), got, "all text is told")
			done := evs[len(evs)-1].(Done)
			parts := describeAnswer(done.History.Turns[0])
			require.Equal(t, c.parts, parts)
			if c.parts != nil {
				require.Equal(t, strings.Count(strings.Join(parts, ""), "["), cited, "each is an event and a part")
			}
			b, err := done.History.Turns[0].MarshalJSON()
			require.NoError(t, err)
			var turn Turn
			require.NoError(t, turn.UnmarshalJSON(b))
			require.Equal(t, done.History.Turns[0], turn)
		})
	}
}

// countPieces returns the text in the events and the numbers of citations and calls.
func countPieces(evs []Event) (text string, cited, called int) {
	for _, ev := range evs {
		switch ev := ev.(type) {
		case TextDelta:
			text += ev.Text
		case CitationPart:
			cited++
		case ToolCalled:
			called++
		}
	}
	return text, cited, called
}

// describeAnswer returns the parts of the assistant's messages: text, "[title]" of a citation, or "call".
func describeAnswer(turn Turn) (parts []string) {
	for _, m := range turn.Messages[1:] {
		if m.Role != RoleAssistant {
			continue
		}
		for _, p := range m.Parts {
			switch {
			case p.Citation != nil:
				parts = append(parts, "["+p.Citation.Title+"]")
			case p.Use != nil:
				parts = append(parts, "call")
			default:
				parts = append(parts, p.Text)
			}
		}
	}
	return parts
}

func TestInvalidCitationsFailTheAnswer(t *testing.T) {
	t.Parallel()
	for _, bad := range []Citation{{Title: "\xff"}, {Quotes: []string{"\xff"}}, {Location: Location{URL: "\xff"}}, {Location: Location{Start: -1}}} {
		_, err := newAgent(t, play(step{text("A."), CitationPart{bad}, end}), Limits{}).Run(t.Context(), Input{Prompt: "?"})
		failed, ok := errors.AsType[*RunError](err)
		require.True(t, ok)
		require.Equal(t, CodeMalformed, failed.Code)
		require.Error(t, Part{Citation: &bad}.check(RoleAssistant))
	}
	require.ErrorContains(t, Part{Citation: &Citation{}}.check(RoleUser), "a citation in a message of the user")
}

// counters counts what is added to each counter.
type counters struct {
	meters
	added map[string]int64
}

func (c counters) Meter(string, ...metric.MeterOption) metric.Meter {
	return countingMeter{meter{recorder: c.recorder}, c.added}
}

type countingMeter struct {
	meter
	added map[string]int64
}

func (m countingMeter) Int64Counter(name string, _ ...metric.Int64CounterOption) (metric.Int64Counter, error) {
	return counter{name: name, added: m.added}, nil
}

type counter struct {
	metricnoop.Int64Counter
	name  string
	added map[string]int64
}

func (c counter) Add(_ context.Context, n int64, o ...metric.AddOption) {
	set := metric.NewAddConfig(o).Attributes()
	kind, _ := set.Value(skippedKind)
	c.added[c.name+" "+kind.AsString()] += n
}

// Skipped pieces are in Done, in the span and in a counter with few kinds.
func TestSkippedPiecesAreCounted(t *testing.T) {
	t.Parallel()
	r := &recorder{}
	c := counters{meters{recorder: r}, map[string]int64{}}
	m := play(
		step{SkippedPart{"server_tool_use"}, SkippedPart{"tool_result"}, use("c1", "echo", `{"word":"a"}`), calls},
		step{SkippedPart{"server_tool_use"}, SkippedPart{"unknown:hologram"}, text("Done."), SkippedPart{"unknown:dream"}, end},
	)
	a, err := New(m, &Options{Tools: tools.Of(echo(t)), Tracer: r, Meter: c})
	require.NoError(t, err)
	done, err := a.Run(t.Context(), Input{Scope: tenant(t, "acme"), Prompt: "Go."})
	require.NoError(t, err)
	require.Equal(t, map[string]int{"server_tool_use": 2, "tool_result": 1, "unknown:hologram": 1, "unknown:dream": 1}, done.Skipped)
	require.Equal(t, map[string]int64{skippedName + " server_tool_use": 2, skippedName + " tool_result": 1, skippedName + " unknown": 2}, c.added)
	require.Contains(t, r.ended[0], `carrel.agent.skipped=["server_tool_use","tool_result"]`)

	done, err = newAgent(t, play(step{text("a"), end}), Limits{}).Run(t.Context(), Input{Prompt: "Go."})
	require.NoError(t, err)
	require.Nil(t, done.Skipped)
	_, err = newAgent(t, play(step{SkippedPart{"image"}, &ModelError{Code: CodeThrottled}}), Limits{}).Run(t.Context(), Input{Prompt: "Go."})
	failed, ok := errors.AsType[*RunError](err)
	require.True(t, ok)
	require.Equal(t, map[string]int{"image": 1}, failed.Done.Skipped)
}
