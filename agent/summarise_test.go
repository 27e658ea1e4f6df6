package agent

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/tools"
)

// Only an answer that the model ended itself is a summary. Others, such as a refusal, do not replace the conversation.
func TestSummaryMustBeComplete(t *testing.T) {
	t.Parallel()
	long := History{Turns: []Turn{wholeTurn(), wholeTurn()}}
	for reason, code := range map[StopReason]Code{
		"refusal": CodeMalformed, StopPauseTurn: CodeMalformed, StopToolUse: CodeMalformed, StopMalformed: CodeMalformed,
		StopMaxTokens: CodeTruncated, StopContextWindow: CodeTruncated, "": CodeTruncated, StopContentFiltered: CodeFiltered,
		StopEndTurn: "", StopSequence: "",
	} {
		c := must.Get(Summarise(play(step{text("I cannot help with that."), StopPart{reason}}), 1))
		a, err := New(play(step{text("ok"), end}), &Options{Compact: c})
		require.NoError(t, err)
		done, err := a.Run(t.Context(), Input{Prompt: "Go on.", History: long})
		require.NoError(t, err, reason)
		if code == "" {
			require.NoError(t, done.CompactErr, reason)
			require.Contains(t, lines(done.History)[0], "I cannot help")
			continue
		}
		failed, ok := errors.AsType[*ModelError](done.CompactErr)
		require.True(t, ok, "%q", reason)
		require.Equal(t, code, failed.Code, reason)
		require.Equal(t, long.Turns, done.History.Turns[:2], "%q", reason)
	}
}

func TestSummariseRejectsALimitOfZero(t *testing.T) {
	t.Parallel()
	for _, tokens := range []int{0, -1} {
		_, err := Summarise(play(), tokens)
		require.EqualError(t, err, fmt.Sprintf("agent: summarise: invalid limit of %d tokens: must be at least 1", tokens))
	}
}

func TestSummaryRequestIsOneMessageWithoutMedia(t *testing.T) {
	t.Parallel()
	m := play(step{text("s"), end})
	turns := []Turn{wholeTurn(), {[]Message{{RoleUser, []Part{{Image: &tools.Media{Format: "png", Bytes: []byte("PNGDATA")}}, {Text: strings.Repeat("é", 3000)}}}}}, wholeTurn()}
	_, _, err := must.Get(Summarise(m, 1))(t.Context(), turns, true)
	require.NoError(t, err)
	require.NoError(t, m.bad)
	r := m.requests[0]
	require.Empty(t, r.Tools)
	require.Len(t, r.Messages, 1)
	said := r.Messages[0].Parts[0].Text
	for _, want := range []string{"[user] What is <this>?", "[call of scan] {\"n\":", `[result] {"isbn":"9780141439549"} and text`, "[result] failed:", "(an image)"} {
		require.Contains(t, said, want)
	}
	require.NotContains(t, said, "PNGDATA")
	require.Less(t, len(said), 3000)
}

func TestSummaryIncludesTheEarlierSummary(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("fact ", 800) + "the last fact"
	m := play(step{text(long), end}, step{text("short"), end})
	turn := func(s string) Turn {
		return Turn{[]Message{{RoleUser, []Part{{Text: s}}}, {RoleAssistant, []Part{{Text: s}}}}}
	}
	c := must.Get(Summarise(m, 100))
	turns := mustCompact(c(t.Context(), []Turn{turn(strings.Repeat("x", 900)), turn("y")}, false))
	mustCompact(c(t.Context(), append(turns, turn(strings.Repeat("x", 900)), turn("z")), false))
	require.NotContains(t, m.requests[0].Messages[0].Parts[0].Text, "fact")
	require.Contains(t, m.requests[1].Messages[0].Parts[0].Text, long)
}
