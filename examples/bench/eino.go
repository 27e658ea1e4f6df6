package main

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/cloudwego/eino/components/model"
	"github.com/cloudwego/eino/components/tool"
	"github.com/cloudwego/eino/components/tool/utils"
	"github.com/cloudwego/eino/compose"
	"github.com/cloudwego/eino/flow/agent/react"
	"github.com/cloudwego/eino/schema"
)

// einoModel answers with prepared chunks.
type einoModel struct{ chunks [][]*schema.Message }

// at returns the next turn. It counts the model's messages, since the results of a turn are several messages.
func (m *einoModel) at(input []*schema.Message) int {
	n := 0
	for _, msg := range input {
		if msg.Role == schema.Assistant {
			n++
		}
	}
	return n
}

func (m *einoModel) Generate(_ context.Context, input []*schema.Message, _ ...model.Option) (*schema.Message, error) {
	return schema.ConcatMessages(m.chunks[m.at(input)])
}

func (m *einoModel) Stream(_ context.Context, input []*schema.Message,
	_ ...model.Option) (*schema.StreamReader[*schema.Message], error) {
	return schema.StreamReaderFromArray(m.chunks[m.at(input)]), nil
}

func (m *einoModel) WithTools([]*schema.ToolInfo) (model.ToolCallingChatModel, error) { return m, nil }

func setUpEino(ctx context.Context) (func(context.Context) error, error) {
	var s shelf
	find, err := utils.InferTool(toolName, toolAbout, s.find)
	if err != nil {
		return nil, err
	}
	m := &einoModel{}
	for _, t := range script() {
		var chunks []*schema.Message
		for _, p := range t.Text {
			chunks = append(chunks, schema.AssistantMessage(p, nil))
		}
		for i, c := range t.Calls {
			chunks = append(chunks, schema.AssistantMessage("", []schema.ToolCall{
				{Index: &i, ID: c.ID, Type: "function", Function: schema.FunctionCall{Name: toolName, Arguments: c.Input}}}))
		}
		m.chunks = append(m.chunks, chunks)
	}
	a, err := react.NewAgent(ctx, &react.AgentConfig{
		ToolCallingModel:      m,
		ToolsConfig:           compose.ToolsNodeConfig{Tools: []tool.BaseTool{find}},
		MaxStep:               4 * turns,
		StreamToolCallChecker: anyCall,
	})
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		out, err := a.Stream(ctx, []*schema.Message{schema.SystemMessage(system), schema.UserMessage(prompt)})
		if err != nil {
			return err
		}
		defer out.Close()
		var said strings.Builder
		for {
			msg, err := out.Recv()
			if errors.Is(err, io.EOF) {
				return s.check(said.String())
			}
			if err != nil {
				return err
			}
			said.WriteString(msg.Content)
		}
	}, nil
}

// anyCall looks for calls in the whole answer. The default looks only at the first chunk with content.
func anyCall(_ context.Context, sr *schema.StreamReader[*schema.Message]) (bool, error) {
	defer sr.Close()
	for {
		msg, err := sr.Recv()
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if len(msg.ToolCalls) > 0 {
			return true, nil
		}
	}
}
