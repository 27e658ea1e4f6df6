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

// The operation that does not stream has cited text in a separate block. The same block is accepted back, and
// reaches the model as parts.
func TestConverseWithCitations(t *testing.T) {
	t.Parallel()
	cited := agent.Citation{Text: "20 days", Title: "Policy", Quotes: []string{"twenty"}, Location: agent.Location{Kind: "page", Index: 1, Start: 2, End: 3}}
	web := agent.Citation{Text: "20 days", Location: agent.Location{Kind: "web", URL: "https://example.com/", Domain: "example.com"}}
	var got *agent.Request
	model := fake(func(ctx context.Context, r *agent.Request, yield func(agent.Delta, error) bool) {
		got = r
		yields(nil, agent.TextDelta{Text: "20 days"}, agent.CitationPart{Citation: cited}, agent.CitationPart{Citation: web},
			agent.TextDelta{Text: "."}, agent.StopPart{Reason: agent.StopEndTurn})(ctx, r, yield)
	})
	through(t, model, func(t *testing.T, _ *bedrock.Model, c *bedrockruntime.Client) {
		question := types.Message{Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: "?"}}}
		in := &bedrockruntime.ConverseInput{ModelId: aws.String("m"), Messages: []types.Message{question}}
		out, err := c.Converse(t.Context(), in)
		require.NoError(t, err)
		m := out.Output.(*types.ConverseOutputMemberMessage).Value
		require.Equal(t, []types.ContentBlock{
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
		}, m.Content)

		in.Messages = append(in.Messages, m, question)
		_, err = c.Converse(t.Context(), in)
		require.NoError(t, err)
		require.Equal(t, []agent.Part{{Text: "20 days"}, {Citation: &cited}, {Citation: &web}, {Text: "."}}, got.Messages[1].Parts)
	})
}
