package bedrock_test

import (
	"bytes"
	"context"
	"fmt"
	pixels "image"
	"image/jpeg"
	"image/png"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/bedrock"
	bt "github.com/carrel-go/carrel/agent/bedrock/bedrocktest"
	"github.com/carrel-go/carrel/tools"
)

// runPrompts runs prompts one after another with the results of a tool named show. Every run must succeed.
func runPrompts(t *testing.T, script *bt.Script, results [][]tools.Media, ins ...agent.Input) {
	t.Helper()
	calls := 0
	tool, err := tools.New("show", "Shows.", func(context.Context, *tools.Call, struct{}) ([]tools.Block, error) {
		var blocks []tools.Block
		for _, m := range results[calls] {
			blocks = append(blocks, m.Block())
		}
		calls++
		return blocks, nil
	})
	require.NoError(t, err)
	bubble(t, script, nil, func(t *testing.T, m *bedrock.Model) {
		a, err := agent.New(m, &agent.Options{Tools: tools.Of(tool), Limits: agent.Limits{Parallel: 1}})
		require.NoError(t, err)
		var h agent.History
		for _, in := range ins {
			if in.Scope.TenantID() == "" {
				in.Scope = shelf(t).Scope()
			}
			in.History = h
			done, err := a.Run(t.Context(), in)
			require.NoError(t, err)
			h = done.History
		}
	})
	require.NoError(t, script.Err())
}

// media returns n images or documents of at least size bytes.
func media(n int, format string, size int) []tools.Media {
	var head bytes.Buffer
	pixel := pixels.NewGray(pixels.Rect(0, 0, 1, 1))
	switch format {
	case "png":
		_ = png.Encode(&head, pixel)
	case "jpeg":
		_ = jpeg.Encode(&head, pixel, nil)
	case "pdf":
		head.WriteString("%PDF-")
	}
	all := make([]tools.Media, n)
	for i := range all {
		rest := bytes.Repeat([]byte{byte('a' + i)}, max(1, size-head.Len()))
		all[i] = tools.Media{Format: format, Bytes: append(bytes.Clone(head.Bytes()), rest...)}
	}
	return all
}

// Images and documents beyond the limits do not end a run or a conversation, for any source and number.
func TestLimitsOverTheWire(t *testing.T) {
	t.Parallel()
	show := bt.ToolUse("c1", "show", `{}`)
	ok := bt.Reply(bt.Text("ok"))
	hello := agent.Input{Prompt: "Hello."}
	for name, c := range map[string]struct {
		results [][]tools.Media
		script  []bt.Step
		ins     []agent.Input
	}{
		"an image that is too large":    {[][]tools.Media{media(1, "png", 3_750_001)}, []bt.Step{bt.Reply(show), ok, ok}, []agent.Input{hello, hello}},
		"a document that is too large":  {[][]tools.Media{media(1, "pdf", 4_500_001)}, []bt.Step{bt.Reply(show), ok, ok}, []agent.Input{hello, hello}},
		"too many images in a result":   {[][]tools.Media{media(21, "png", 9)}, []bt.Step{bt.Reply(show), ok, ok}, []agent.Input{hello, hello}},
		"too many documents in a turn":  {[][]tools.Media{media(3, "pdf", 9), media(3, "pdf", 9)}, []bt.Step{bt.Reply(show, bt.ToolUse("c2", "show", `{}`)), ok, ok}, []agent.Input{hello, hello}},
		"documents over a conversation": {nil, []bt.Step{ok, ok, ok}, []agent.Input{{Media: media(3, "pdf", 9)}, {Media: media(3, "txt", 9)}, {Media: media(5, "pdf", 9)}}},
		"images that meet a prompt": {[][]tools.Media{media(15, "png", 9)},
			[]bt.Step{bt.Reply(show), bt.Reply(), ok}, []agent.Input{hello, {Media: media(10, "png", 9)}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			script := bt.NewScript(c.script...)
			runPrompts(t, script, c.results, c.ins...)
			require.Len(t, script.Requests(), len(c.script))
		})
	}

	// Some models count images and documents together, over the whole request.
	t.Run("over a conversation", func(t *testing.T) {
		t.Parallel()
		counting := bt.Times(4, bt.Func(func(r *bt.Request) bt.Step {
			if n := bytes.Count(r.Body, []byte(`"image":{`)) + bytes.Count(r.Body, []byte(`"document":{`)); n > 20 {
				return bt.Fail(400, "ValidationException", fmt.Sprintf("too many images and documents: %d + 0 > 20", n))
			}
			return ok
		}))
		runPrompts(t, bt.NewScript(counting), nil, agent.Input{Media: media(9, "png", 9)}, agent.Input{Media: media(9, "png", 9)},
			agent.Input{Media: append(media(9, "png", 9), media(2, "pdf", 9)...)}, agent.Input{Media: media(20, "jpeg", 9)})
	})

	// A body of more than 20 MB is refused as too long.
	t.Run("bytes over a conversation", func(t *testing.T) {
		t.Parallel()
		counting := bt.Times(3, bt.Func(func(r *bt.Request) bt.Step {
			if len(r.Body) > 20_500_000 {
				return bt.Fail(400, "ValidationException", "Input is too long for requested model.")
			}
			return ok
		}))
		big := agent.Input{Media: media(3, "png", 3_000_000)}
		runPrompts(t, bt.NewScript(counting), nil, big, big, big)
	})
}

// An object of an earlier turn that has gone ends no conversation, whether the adapter reads objects or the service
// does, and whether the agent can look for it or not.
func TestOldObjectsOverTheWire(t *testing.T) {
	t.Parallel()
	ok := bt.Reply(bt.Text("ok"))
	missing := bt.Fail(400, "ValidationException", "The S3 object could not be read: not found.")
	denied := bt.Fail(403, "AccessDeniedException", "not authorized to perform: s3:GetObject")
	for name, c := range map[string]struct {
		o      *bedrock.Options
		looks  bool
		script []bt.Step
		// isReplaced reports whether a note has taken the object's place in the history.
		isReplaced bool
	}{
		"read by the adapter":               {nil, true, []bt.Step{ok, ok}, false},
		"read by the service":               {&bedrock.Options{S3Locations: true}, true, []bt.Step{ok, ok}, false},
		"read by the service alone":         {&bedrock.Options{S3Locations: true}, false, []bt.Step{ok, missing, ok}, true},
		"read by the service, denied to it": {&bedrock.Options{S3Locations: true}, false, []bt.Step{ok, denied, ok}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := shelf(t)
			in := agent.Input{Scope: root.Scope(), Media: []tools.Media{{Format: "png", Object: put(t, root, "cover.png", "png")}}}
			ao := agent.Options{}
			if c.looks {
				ao.Objects = root.Bucket()
			}
			script := bt.NewScript(c.script...)
			bubble(t, script, c.o, func(t *testing.T, m *bedrock.Model) {
				a, err := agent.New(m, &ao)
				require.NoError(t, err)
				done, err := a.Run(t.Context(), in)
				require.NoError(t, err)
				require.NoError(t, root.Delete(t.Context(), in.Media[0].Object))
				done, err = a.Run(t.Context(), agent.Input{Scope: in.Scope, Prompt: "Hello.", History: done.History})
				require.NoError(t, err)
				kept := done.History.Turns[0].Messages[0].Parts[0].Image
				require.Equal(t, c.isReplaced, kept == nil, "the history keeps it unless the service has rejected it")
				if c.looks && c.o == nil { // new media must be sent
					_, err = a.Run(t.Context(), in)
					require.Error(t, err)
				}
			})
			requests := script.Requests()
			require.Len(t, requests, len(c.script))
			last := requests[len(requests)-1]
			require.NotContains(t, string(last.Body), "s3Location")
			require.Contains(t, last.Messages[0].Parts[0].Text, "[There was an image (png) here")
		})
	}
}
