package reader_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/reader"
	"github.com/carrel-go/carrel/tools"
)

// newStubSet returns a set of tools that have the real names and the given answers.
func newStubSet(t *testing.T, answers map[string]func() (tools.Result, error)) tools.Set {
	t.Helper()
	type in struct {
		ISBN   string `json:"isbn,omitempty"`
		Title  string `json:"title,omitempty"`
		Author string `json:"author,omitempty"`
		Field  string `json:"field,omitempty"`
		Value  string `json:"value,omitempty"`
	}
	var all []*tools.Tool
	for name, f := range answers {
		tool, err := tools.New(name, "stub", func(context.Context, *tools.Call, in) (tools.Result, error) { return f() })
		require.NoError(t, err)
		all = append(all, tool)
	}
	return tools.Of(all...)
}

// For all results and any set of tools, the run ends within its limits and with a text.
func TestReaderEndsForAnyToolResults(t *testing.T) {
	t.Parallel()
	text := func(s string) func() (tools.Result, error) {
		return func() (tools.Result, error) { return tools.Result{Blocks: []tools.Block{{Text: s}}}, nil }
	}
	fails := func() (tools.Result, error) { return tools.Result{}, fmt.Errorf("broken") }
	corrects := func() (tools.Result, error) { return tools.Result{}, tools.Correct("not like that.") }
	isbn := text(`{"found":true,"digits":"9780486284736","isbn":"9780486284736"}`)
	names := []string{"scan_barcode", "read_cover", "check_isbn", "look_up_book", "set_field"}
	for title, f := range map[string]func() (tools.Result, error){
		"fail": fails, "correct": corrects, "talk": text("hello"), "null": text("null"), "number": text("7"), "empty": text(""),
		"lists": text(`[1,2]`), "types": text(`{"found":"yes","lines":7,"valid":1,"book":[]}`), "found nothing": text(`{"found":true}`),
		"book of nothing": text(`{"found":true,"matched_by":"isbn","book":{}}`),
		"all at once":     text(`{"found":true,"isbn":"9780486284736","available":true,"lines":["A BOOK","","A NAME"],"valid":true,"book":{"title":"T"},"field":"title","value":3}`),
	} {
		for skip := range len(names) + 1 {
			answers := make(map[string]func() (tools.Result, error))
			for i, n := range names {
				if i != skip {
					answers[n] = f
				}
			}
			_, s := newLanding(t, nil)
			d := newDeskWith(t, s, newStubSet(t, answers))
			require.NoError(t, d.runPrompt(reader.Prompt), title)
			require.NotEmpty(t, d.text)
			require.Less(t, len(d.calls), 16)
			require.NoError(t, d.runPrompt("isbn 978-0-486-28473-6, title: Emma"), title)
			require.NoError(t, d.runPrompt("read it again"), title)

			// The barcode works, everything else does not.
			if skip != 0 {
				answers["scan_barcode"] = isbn
				d := newDeskWith(t, s, newStubSet(t, answers))
				require.NoError(t, d.runPrompt(reader.Prompt), title)
			}
		}
	}
	_, s := newLanding(t, nil)
	d := newDeskWith(t, s, tools.Of())
	require.NoError(t, d.runPrompt(reader.Prompt))
	require.NotEmpty(t, d.text)
}

// A service may convert JSON results to text, and a history may have lost its beginning.
func TestReaderDecodesResultsSentAsText(t *testing.T) {
	t.Parallel()
	use := func(id, name, input string) agent.Message {
		return agent.Message{Role: agent.RoleAssistant, Parts: []agent.Part{{Use: &agent.ToolUse{ID: id, Name: name, Input: json.RawMessage(input)}}}}
	}
	resultOf := func(id, text string, more ...agent.Part) agent.Message {
		r := agent.Part{Result: &agent.ToolResult{ID: id, Result: tools.Result{Blocks: []tools.Block{{Text: text}}}}}
		return agent.Message{Role: agent.RoleUser, Parts: append([]agent.Part{r}, more...)}
	}
	req := &agent.Request{
		Tools: []tools.Spec{{Name: "scan_barcode"}, {Name: "read_cover"}, {Name: "check_isbn"}},
		Messages: []agent.Message{
			{Role: agent.RoleUser, Parts: []agent.Part{{Text: "a run that failed"}}},
			use("call-1", "scan_barcode", `{}`),
			resultOf("call-1", `{"found":false}`, agent.Part{Text: reader.Prompt}),
			use("call-2", "scan_barcode", `{}`),
			resultOf("call-2", `{"found":true,"isbn":"9780486284736","digits":"9780486284736"}`),
			use("call-3", "read_cover", `{}`),
			resultOf("call-3", `{"available":false}`),
		},
	}
	var uses []agent.ToolUse
	var stops []agent.StopReason
	for d, err := range reader.New(&reader.Options{Pace: -1}).Stream(t.Context(), req) {
		require.NoError(t, err)
		switch d := d.(type) {
		case agent.UsePart:
			uses = append(uses, d.ToolUse)
		case agent.StopPart:
			stops = append(stops, d.Reason)
		}
	}
	require.Equal(t, []agent.StopReason{agent.StopToolUse}, stops)
	require.Len(t, uses, 1)
	require.Equal(t, "call-4", uses[0].ID)
	require.JSONEq(t, `{"isbn":"9780486284736"}`, string(uses[0].Input))
}

func TestReaderPacesTextAndStopsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		req := &agent.Request{Messages: []agent.Message{{Role: agent.RoleUser, Parts: []agent.Part{{Text: reader.Prompt}}}}}
		m := reader.New(&reader.Options{Pace: time.Second})
		begin, n := time.Now(), 0
		for d, err := range m.Stream(t.Context(), req) {
			require.NoError(t, err)
			if p, ok := d.(agent.TextDelta); ok {
				n++
				require.NotEmpty(t, p.Text)
				require.LessOrEqual(t, strings.Count(p.Text, " "), 1, "a word at a time")
			}
		}
		require.Greater(t, n, 10)
		require.Equal(t, time.Duration(n)*time.Second, time.Since(begin))

		ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
		defer cancel()
		var last error
		n = 0
		for _, err := range m.Stream(ctx, req) {
			n++
			last = err
		}
		require.Equal(t, 3, n, "two words, then the error")
		require.ErrorIs(t, last, context.DeadlineExceeded)

		for range m.Stream(t.Context(), req) {
			break // synctest fails if a goroutine is left
		}
	})
}
