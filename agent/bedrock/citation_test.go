package bedrock_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/bedrock"
	bt "github.com/carrel-go/carrel/agent/bedrock/bedrocktest"
	"github.com/carrel-go/carrel/tools"
)

// Cited text comes whole, its citations are parts, and the next request holds the text alone.
func TestCitationsOverTheWire(t *testing.T) {
	t.Parallel()
	script := bt.NewScript(
		bt.Reply(bt.Text("Employees receive "), bt.CitedText([]agent.Citation{leave}, "20 days ", "annual leave"), bt.Text(". For more, ask.")),
		bt.Reply(bt.Text("Yes.")),
	)
	bubble(t, script, nil, func(t *testing.T, m *bedrock.Model) {
		a, err := agent.New(m, nil)
		require.NoError(t, err)
		done, err := a.Run(t.Context(), agent.Input{Prompt: "How much leave?"})
		require.NoError(t, err)
		want := cited("20 days annual leave", leave).Citation
		require.Equal(t, []agent.Part{
			text("Employees receive "), text("20 days annual leave"), {Citation: &want}, text(". For more, ask."),
		}, done.History.Turns[0].Messages[1].Parts)
		_, err = a.Run(t.Context(), agent.Input{Prompt: "Sure?", History: done.History})
		require.NoError(t, err)
		require.Equal(t, []agent.Part{text("Employees receive "), text("20 days annual leave"), text(". For more, ask.")},
			script.Requests()[1].Messages[1].Parts)
	})
}

// With Citations, the model is asked to cite every document: a PDF file as bytes, a text as text. A request in which one document
// cannot be cited is sent without citations.
func TestCitationsOfDocuments(t *testing.T) {
	t.Parallel()
	o := &bedrock.Options{Citations: true}
	body := string(sent(t, o, messages(text("?"), doc("pdf", "%PDF"), doc("md", "# Emma \xff"))).Body)
	require.Contains(t, body, `{"document":{"citations":{"enabled":true},"format":"pdf","name":"Document 1","source":{"bytes":"JVBERg=="}}}`)
	require.Contains(t, body, `{"document":{"citations":{"enabled":true},"format":"txt","name":"Document 2","source":{"text":"# Emma `+"\uFFFD"+`"}}}`)

	docx := &agent.Request{Messages: []agent.Message{
		{Role: agent.RoleUser, Parts: []agent.Part{text("?"), doc("pdf", "%PDF")}},
		{Role: agent.RoleAssistant, Parts: []agent.Part{call("a", "x", `{}`)}},
		{Role: agent.RoleUser, Parts: []agent.Part{result("a", tools.Block{Document: &tools.Media{Format: "docx", Bytes: []byte("PK")}})}},
	}}
	structured := messages(text("?"), doc("pdf", "%PDF"))
	structured.Output = &tools.Spec{Name: "a", Schema: []byte(`{"type":"object"}`)}
	for _, r := range []*agent.Request{docx, structured} {
		require.NotContains(t, string(sent(t, o, r).Body), "citations")
	}
	require.NotContains(t, string(sent(t, nil, messages(text("?"), doc("pdf", "%PDF"))).Body), "citations")
}
