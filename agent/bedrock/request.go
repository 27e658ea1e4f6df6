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

// input turns a request into the service's form, so that it keeps the service's rules where the agent's request
// is looser: neighbours of one role become one message, in which tool results lead; blank text is left out; a tool
// result is never empty; documents have names and a text beside them; toolConfig is there whenever the messages hold
// tool blocks.
func (m *Model) input(ctx context.Context, r *agent.Request) (*bedrockruntime.ConverseStreamInput, error) {
	if m.err != nil {
		return nil, m.err
	}
	in := &bedrockruntime.ConverseStreamInput{ModelId: aws.String(m.id)}
	if !blank(r.System) {
		in.System = []types.SystemContentBlock{&types.SystemContentBlockMemberText{Value: r.System}}
	}
	maxTokens := r.MaxTokens
	if maxTokens <= 0 {
		maxTokens = m.o.MaxTokens
	}
	if maxTokens > math.MaxInt32 {
		return nil, invalid("%d tokens are more than the service can count", maxTokens)
	}
	in.InferenceConfig = &types.InferenceConfiguration{MaxTokens: aws.Int32(int32(maxTokens))}
	m.o.into(in)
	w := writer{ctx: ctx, o: &m.o, load: r.Load}
	var err error
	if in.Messages, err = w.messages(r.Messages); err != nil {
		return nil, err
	}
	if in.ToolConfig, err = m.toolConfig(r); err != nil {
		return nil, err
	}
	if r.Cache && !m.o.NoCache {
		m.cache(in)
	}
	return in, nil
}

// writer turns the messages of one request into the service's.
type writer struct {
	ctx       context.Context // it lives as long as one call
	o         *Options
	load      loader
	documents int // so far: they are numbered
}

func (w *writer) messages(ms []agent.Message) ([]types.Message, error) {
	out := make([]types.Message, 0, len(ms))
	parts := 0
	for _, m := range ms {
		parts += len(m.Parts)
	}
	all := make([]types.ContentBlock, 0, parts) // of all messages: it does not grow, so the slices of it stay
	begin := 0                                  // of the last message
	for _, m := range ms {
		n := len(all)
		var err error
		if all, err = w.content(all, m); err != nil {
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
		return nil, invalid("the request has no content")
	}
	for i := range out {
		if out[i].Role != types.ConversationRoleUser {
			continue
		}
		resultsFirst(out[i].Content)
		var err error
		if out[i].Content, err = withMedia(out[i].Content); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// resultsFirst moves tool results before everything else and keeps the order otherwise.
func resultsFirst(blocks []types.ContentBlock) {
	rank := func(b types.ContentBlock) int {
		if _, ok := b.(*types.ContentBlockMemberToolResult); ok {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(blocks, func(a, b types.ContentBlock) int { return rank(a) - rank(b) })
}
