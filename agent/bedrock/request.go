package bedrock

import (
	"context"
	"math"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/carrel-go/carrel/agent"
)

// newInput converts a request to the service's form, whose rules are stricter than the agent's:
// neighbouring messages of one role become one message, in which tool results come first; blank text is left out; a
// tool result is never empty; documents have names and a text beside them; call ids that the service refuses are
// replaced; toolConfig is set whenever the messages hold tool blocks.
func (m *Model) newInput(ctx context.Context, r *agent.Request) (*bedrockruntime.ConverseStreamInput, error) {
	in := &bedrockruntime.ConverseStreamInput{ModelId: aws.String(m.id), InferenceConfig: &types.InferenceConfiguration{}}
	m.o.apply(in)
	w := writer{ctx: ctx, o: &m.o, load: r.Load, ids: callIDs{messages: r.Messages}, cite: m.o.Citations && isCitable(r)}
	var err error
	if in.Messages, err = w.writeMessages(r.Messages); err != nil {
		return nil, err
	}
	budget := m.thinking.budget
	if m.suspendThinking(in) {
		budget = 0
	}
	if in.InferenceConfig.MaxTokens, err = m.maxTokens(r, budget); err != nil {
		return nil, err
	}
	if !isBlank(r.System) {
		m.addSystemPrompt(in, r.System)
	}
	if in.ToolConfig, err = m.newToolConfig(r); err != nil {
		return nil, err
	}
	if in.OutputConfig, err = m.newOutputConfig(r); err != nil {
		return nil, err
	}
	if r.Cache && !m.o.NoCache {
		m.addCachePoints(in)
	}
	return in, nil
}

// maxTokens returns the limit of an answer. The service requires a limit above the thinking budget.
func (m *Model) maxTokens(r *agent.Request, budget int) (*int32, error) {
	n := r.MaxTokens
	if n == 0 {
		n = m.o.MaxTokens
	}
	if n <= budget {
		n += budget
	}
	if n < 1 || n > math.MaxInt32 {
		return nil, newInvalidError("invalid MaxTokens %d: must be from 1 to %d", n, math.MaxInt32)
	}
	return aws.Int32(int32(n)), nil
}

// addSystemPrompt adds the system prompt. For a model without the field it is inserted before the first text.
func (m *Model) addSystemPrompt(in *bedrockruntime.ConverseStreamInput, prompt string) {
	if !m.o.NoSystem {
		in.System = []types.SystemContentBlock{&types.SystemContentBlockMemberText{Value: prompt}}
		return
	}
	block := &types.ContentBlockMemberText{Value: prompt}
	if first := &in.Messages[0]; first.Role == types.ConversationRoleUser {
		first.Content = slices.Insert(slices.Clone(first.Content), countResults(first.Content), types.ContentBlock(block))
		return
	}
	in.Messages = slices.Insert(in.Messages, 0,
		types.Message{Role: types.ConversationRoleUser, Content: []types.ContentBlock{block}})
}

// countResults returns the number of tool results at the beginning of blocks.
func countResults(blocks []types.ContentBlock) int {
	n := slices.IndexFunc(blocks, func(b types.ContentBlock) bool { return !isResult(b) })
	if n < 0 {
		return len(blocks)
	}
	return n
}

func isResult(b types.ContentBlock) bool {
	_, ok := b.(*types.ContentBlockMemberToolResult)
	return ok
}

// writer converts the messages of one request.
type writer struct {
	ctx       context.Context // it lives as long as one call
	o         *Options
	load      loader
	ids       callIDs
	documents int // so far: they are numbered
	videos    int // so far
	objects   []rawDocument
	cite      bool                 // ask for citations of documents
	following []types.ContentBlock // blocks that follow the current tool result
}

func (w *writer) writeMessages(ms []agent.Message) ([]types.Message, error) {
	out := make([]types.Message, 0, len(ms))
	parts := 0
	for _, m := range ms {
		parts += len(m.Parts)
	}
	all := make([]types.ContentBlock, 0, parts) // of all messages; usually it does not grow, so the messages share it
	begin := 0                                  // of the last message
	for _, m := range ms {
		n := len(all)
		var err error
		if all, err = w.writeContent(all, m); err != nil {
			return nil, err
		}
		if len(all) == n {
			continue
		}
		role, last := types.ConversationRole(m.Role), len(out)-1
		if last < 0 || out[last].Role != role {
			out, begin = append(out, types.Message{Role: role}), n
			last++
		}
		out[last].Content = all[begin:len(all):len(all)]
	}
	if len(out) == 0 {
		return nil, newInvalidError("the request has no content")
	}
	for i := range out {
		if out[i].Role != types.ConversationRoleUser {
			continue
		}
		moveResultsFirst(out[i].Content)
		var err error
		if out[i].Content, err = completeMedia(out[i].Content); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// moveResultsFirst moves tool results before everything else and keeps the order otherwise.
func moveResultsFirst(blocks []types.ContentBlock) {
	rank := func(b types.ContentBlock) int {
		if isResult(b) {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(blocks, func(a, b types.ContentBlock) int { return rank(a) - rank(b) })
}
