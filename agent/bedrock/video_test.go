package bedrock_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/bedrock"
	bt "github.com/carrel-go/carrel/agent/bedrock/bedrocktest"
	"github.com/carrel-go/carrel/tools"
)

func video(format, data string) agent.Part {
	return agent.Part{Video: &tools.Media{Format: format, Bytes: []byte(data)}}
}

func TestVideos(t *testing.T) {
	t.Parallel()
	for _, f := range []string{"mkv", "mov", "mp4", "webm", "flv", "mpeg", "mpg", "wmv", "three_gp"} {
		got := sent(t, nil, messages(video(f, "x"))).Messages[0].Parts
		require.Equal(t, []agent.Part{video(f, "x")}, got)
	}
	for name, c := range map[string]struct {
		request *agent.Request
		want    string
		limit   bool
	}{
		"another format":      {messages(video("png", "x")), `invalid video format "png"`, false},
		"larger than allowed": {messages(video("mp4", strings.Repeat("x", 18_750_001))), "the video is larger than 18750000 bytes", true},
		"two":                 {messages(video("mp4", "x"), text("?"), video("mp4", "x")), "2 videos in one request", true},
		"two, one of them in an earlier message": {&agent.Request{Messages: []agent.Message{
			{Role: agent.RoleUser, Parts: []agent.Part{video("mp4", "x")}},
			{Role: agent.RoleAssistant, Parts: []agent.Part{text("!")}},
			{Role: agent.RoleUser, Parts: []agent.Part{video("mp4", "x")}},
		}}, "2 videos in one request", true},
		"of the assistant": {&agent.Request{Messages: []agent.Message{{Role: agent.RoleAssistant, Parts: []agent.Part{video("mp4", "x")}}}},
			"a video in a message of the assistant", false},
	} {
		me := notSent(t, nil, c.request)
		require.ErrorContains(t, me, c.want, name)
		require.Equal(t, c.limit, errors.Is(me, bedrock.ErrLimit), name)
	}
}

// A video that lies in S3 is read, or sent as its location.
func TestVideoObjects(t *testing.T) {
	t.Parallel()
	root := shelf(t)
	r := messages(text("What happens?"), agent.Part{Video: &tools.Media{Format: "mp4", Object: put(t, root, "a.mp4", "frames")}})
	r.Load = reading(root, true)
	require.Equal(t, video("mp4", "frames"), sent(t, nil, r).Messages[0].Parts[1])
	require.Contains(t, string(sent(t, &bedrock.Options{S3Locations: true}, r).Body), `{"video":{"format":"mp4","source":{"s3Location":{"uri":"s3://carrel-raw/`)
}

// No model takes a video as the result of a tool, so it stands beside the results. A cache point does not follow it.
func TestVideoResults(t *testing.T) {
	t.Parallel()
	script := bt.NewScript(
		bt.Reply(bt.ToolUse("a", "film", `{"isbn":"1"}`), bt.ToolUse("b", "look_up", `{"isbn":"2"}`)),
		bt.Reply(bt.Text("A desert.")),
	)
	bubble(t, script, nil, func(t *testing.T, m *bedrock.Model) {
		film, err := tools.New("film", "Films a book.", func(context.Context, *tools.Call, lookUp) (tools.Media, error) {
			return tools.Media{Format: "webm", Bytes: []byte("frames")}, nil
		})
		require.NoError(t, err)
		find, err := tools.New("look_up", "Looks a book up.", lookUpBook)
		require.NoError(t, err)
		a, err := agent.New(m, &agent.Options{Tools: tools.Of(film, find), Cache: true})
		require.NoError(t, err)
		done, err := a.Run(t.Context(), agent.Input{Scope: reader(t), Prompt: "What is on it?"})
		require.NoError(t, err)
		parts := script.Requests()[1].Messages[2].Parts
		require.Len(t, parts, 3)
		require.Equal(t, "a", parts[0].Result.ID)
		require.Equal(t, []tools.Block{{Text: "See the video below."}}, parts[0].Result.Blocks)
		require.Equal(t, "b", parts[1].Result.ID)
		require.Equal(t, video("webm", "frames"), parts[2])
		require.Contains(t, string(script.Requests()[1].Body), `{"cachePoint":{"type":"default"}},{"video"`)
		require.Equal(t, "webm video, 6 bytes", done.History.Turns[0].Messages[2].Parts[0].Result.Summary)
	})
}

// A request holds one video: in a conversation the newest, and a note in the place of the older ones.
func TestVideosOfAConversation(t *testing.T) {
	t.Parallel()
	script := bt.NewScript(bt.Forever(bt.Reply(bt.Text("A desert."))))
	bubble(t, script, nil, func(t *testing.T, m *bedrock.Model) {
		a, err := agent.New(m, nil)
		require.NoError(t, err)
		in := agent.Input{Scope: reader(t), Prompt: "What is on it?"}
		for _, frames := range []string{"one", "two"} {
			in.Media = []tools.Media{{Format: "mp4", Bytes: []byte(frames)}}
			done, err := a.Run(t.Context(), in)
			require.NoError(t, err)
			in.History = done.History
		}
		ms := script.Requests()[1].Messages
		require.Contains(t, ms[0].Parts[0].Text, "[There was a video (mp4) here")
		require.Equal(t, video("mp4", "two"), ms[2].Parts[0])
	})
}
