package bedrocktest_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/bedrock"
)

// A cited text arrives as a block with its citations. A request may contain such a block, which reaches the model as
// parts.
func TestCitations(t *testing.T) {
	t.Parallel()
	cited := agent.Citation{Text: "20 days", Title: "Policy", Quotes: []string{"twenty"}, Location: agent.Location{Kind: "page", Index: 1, Start: 2, End: 3}}
	web := agent.Citation{Text: "20 days", Location: agent.Location{Kind: "web", URL: "https://example.com/", Domain: "example.com"}}
	var got *agent.Request
	model := fake(func(ctx context.Context, r *agent.Request, yield func(agent.Delta, error) bool) {
		got = r
		yields(nil, agent.TextDelta{Text: "20 days"}, agent.CitationPart{Citation: cited}, agent.CitationPart{Citation: web},
			agent.TextDelta{Text: "."}, agent.StopPart{Reason: agent.StopEndTurn})(ctx, r, yield)
	})
	through(t, model, func(t *testing.T, m *bedrock.Model, c *bedrockruntime.Client) {
		deltas, err := collect(t.Context(), m, ask())
		require.NoError(t, err)
		require.Equal(t, []agent.Delta{agent.TextDelta{Text: "20 days"}, agent.CitationPart{Citation: cited},
			agent.CitationPart{Citation: web}, agent.TextDelta{Text: "."}, agent.StopPart{Reason: agent.StopEndTurn},
			agent.UsageReport{}}, deltas)

		question := types.Message{Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: "?"}}}
		answer := types.Message{Role: types.ConversationRoleAssistant, Content: []types.ContentBlock{
			&types.ContentBlockMemberCitationsContent{Value: types.CitationsContentBlock{
				Content: []types.CitationGeneratedContent{&types.CitationGeneratedContentMemberText{Value: "20 days"}},
				Citations: []types.Citation{
					{Title: aws.String("Policy"), SourceContent: []types.CitationSourceContent{&types.CitationSourceContentMemberText{Value: "twenty"}},
						Location: &types.CitationLocationMemberDocumentPage{Value: types.DocumentPageLocation{
							DocumentIndex: aws.Int32(1), Start: aws.Int32(2), End: aws.Int32(3)}}},
					{Location: &types.CitationLocationMemberWeb{Value: types.WebLocation{
						Url: aws.String("https://example.com/"), Domain: aws.String("example.com")}}},
				},
			}},
			&types.ContentBlockMemberText{Value: "."},
		}}
		out, err := c.ConverseStream(t.Context(), &bedrockruntime.ConverseStreamInput{
			ModelId: aws.String("m"), Messages: []types.Message{question, answer, question},
		})
		require.NoError(t, err)
		require.NoError(t, out.GetStream().Close())
		require.Equal(t, []agent.Part{{Text: "20 days"}, {Citation: &cited}, {Citation: &web}, {Text: "."}}, got.Messages[1].Parts)
	})
}
