package bedrock

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/tools"
)

// input turns a request into the service's form, so that it keeps the service's rules where the agent's request
// is looser: neighbours of one role become one message, in which tool results lead; blank text is left out; a tool
// result is never empty; toolConfig is there whenever the messages hold tool blocks.
func (m *Model) input(r *agent.Request) (*bedrockruntime.ConverseStreamInput, error) {
	in := &bedrockruntime.ConverseStreamInput{ModelId: aws.String(m.id)}
	if !blank(r.System) {
		in.System = []types.SystemContentBlock{&types.SystemContentBlockMemberText{Value: r.System}}
	}
	maxTokens := r.MaxTokens
	if maxTokens <= 0 {
		maxTokens = m.maxTokens
	}
	if maxTokens > math.MaxInt32 {
		return nil, invalid("%d tokens are more than the service can count", maxTokens)
	}
	in.InferenceConfig = &types.InferenceConfiguration{MaxTokens: aws.Int32(int32(maxTokens))}
	var err error
	if in.Messages, err = messages(r.Messages); err != nil {
		return nil, err
	}
	if in.ToolConfig, err = toolConfig(r); err != nil {
		return nil, err
	}
	return in, nil
}

func messages(ms []agent.Message) ([]types.Message, error) {
	out := make([]types.Message, 0, len(ms))
	for _, m := range ms {
		blocks, err := content(m.Parts)
		if err != nil {
			return nil, err
		}
		if len(blocks) == 0 {
			continue
		}
		role := types.ConversationRole(m.Role)
		if last := len(out) - 1; last >= 0 && out[last].Role == role {
			out[last].Content = append(out[last].Content, blocks...)
		} else {
			out = append(out, types.Message{Role: role, Content: blocks})
		}
	}
	if len(out) == 0 {
		return nil, invalid("the request has no content")
	}
	for i := range out {
		if out[i].Role == types.ConversationRoleUser {
			resultsFirst(out[i].Content)
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

func content(parts []agent.Part) ([]types.ContentBlock, error) {
	blocks := make([]types.ContentBlock, 0, len(parts))
	for _, p := range parts {
		switch {
		case p.Use != nil:
			input, err := object(p.Use.Input)
			if err != nil {
				return nil, invalid("input of the call %q of the tool %q: %w", p.Use.ID, p.Use.Name, err)
			}
			blocks = append(blocks, &types.ContentBlockMemberToolUse{Value: types.ToolUseBlock{
				ToolUseId: aws.String(p.Use.ID),
				Name:      aws.String(p.Use.Name),
				Input:     input,
			}})
		case p.Result != nil:
			b, err := toolResult(p.Result)
			if err != nil {
				return nil, err
			}
			blocks = append(blocks, b)
		case !blank(p.Text):
			blocks = append(blocks, &types.ContentBlockMemberText{Value: p.Text})
		}
	}
	return blocks, nil
}

// toolResult writes a JSON object as JSON; every other JSON value goes as text, since the service refuses it.
func toolResult(r *agent.ToolResult) (types.ContentBlock, error) {
	b := types.ToolResultBlock{ToolUseId: aws.String(r.ID)}
	if r.Result.IsError {
		b.Status = types.ToolResultStatusError
	}
	for _, block := range r.Result.Blocks {
		if len(block.JSON) == 0 {
			if !blank(block.Text) {
				b.Content = append(b.Content, &types.ToolResultContentBlockMemberText{Value: block.Text})
			}
			continue
		}
		if doc, err := object(block.JSON); err == nil {
			b.Content = append(b.Content, &types.ToolResultContentBlockMemberJson{Value: doc})
		} else if json.Valid(block.JSON) {
			b.Content = append(b.Content, &types.ToolResultContentBlockMemberText{Value: string(block.JSON)})
		} else {
			return nil, invalid("result of the call %q: %w", r.ID, err)
		}
	}
	if len(b.Content) == 0 {
		b.Content = []types.ToolResultContentBlock{&types.ToolResultContentBlockMemberText{Value: "(no output)"}}
	}
	return &types.ContentBlockMemberToolResult{Value: b}, nil
}

// toolConfig offers the request's tools. When it offers none, but the messages hold calls of earlier turns, the
// service still wants them defined: they are declared as what they are, tools that cannot be called any more.
func toolConfig(r *agent.Request) (*types.ToolConfiguration, error) {
	specs := r.Tools
	if len(specs) == 0 {
		specs = retired(r.Messages)
	}
	if len(specs) == 0 {
		return nil, nil
	}
	c := &types.ToolConfiguration{Tools: make([]types.Tool, 0, len(specs))}
	for _, s := range specs {
		schema, err := object(s.Schema)
		if err != nil {
			return nil, invalid("schema of the tool %q: %w", s.Name, err)
		}
		spec := types.ToolSpecification{
			Name:        aws.String(s.Name),
			InputSchema: &types.ToolInputSchemaMemberJson{Value: schema},
		}
		if !blank(s.Description) {
			spec.Description = aws.String(s.Description)
		}
		c.Tools = append(c.Tools, &types.ToolMemberToolSpec{Value: spec})
	}
	return c, nil
}

func retired(ms []agent.Message) []tools.Spec {
	var specs []tools.Spec
	seen := make(map[string]bool)
	for _, m := range ms {
		for _, p := range m.Parts {
			if p.Use == nil || seen[p.Use.Name] {
				continue
			}
			seen[p.Use.Name] = true
			specs = append(specs, tools.Spec{
				Name:        p.Use.Name,
				Description: "No longer available: it cannot be called.",
				Schema:      json.RawMessage(`{"type":"object"}`),
			})
		}
	}
	return specs
}

func blank(s string) bool { return strings.TrimSpace(s) == "" }

// raw is a document that is sent as it stands: no second encoding, no reordering of keys. Only object makes one,
// from JSON that has been checked, because the SDK drops the errors of a document.
type raw struct {
	document.Interface // nil; it makes raw one of the SDK's documents
	json               json.RawMessage
}

func (r raw) MarshalSmithyDocument() ([]byte, error) { return r.json, nil }

// object gives the document of a JSON object; the service takes no other value as a tool's input or result.
func object(j json.RawMessage) (document.Interface, error) {
	t := bytes.TrimLeft(j, " \t\r\n")
	if len(t) == 0 || t[0] != '{' || !json.Valid(j) {
		return nil, errNoObject
	}
	return raw{json: j}, nil
}
