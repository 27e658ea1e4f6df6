package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/firebase/genkit/go/ai"
	"github.com/firebase/genkit/go/genkit"
)

// genkitModel answers with the next turn. The history has a system and a user message, then for each turn the model's
// message and one of results. genkit modifies messages and chunks, so they are made anew, but the parts are shared.
func genkitModel() ai.ModelFunc {
	type made struct {
		text  []*ai.Part
		calls []*ai.Part
		whole *ai.Part
	}
	var all []made
	for _, t := range script() {
		var m made
		said := ""
		for _, p := range t.Text {
			m.text = append(m.text, ai.NewTextPart(p))
			said += p
		}
		m.whole = ai.NewTextPart(said)
		for _, c := range t.Calls {
			var input any
			if err := json.Unmarshal([]byte(c.Input), &input); err != nil {
				panic(err) // it was marshalled from a struct
			}
			m.calls = append(m.calls, ai.NewToolRequestPart(&ai.ToolRequest{Name: toolName, Ref: c.ID, Input: input}))
		}
		all = append(all, m)
	}
	return func(ctx context.Context, r *ai.ModelRequest, cb ai.ModelStreamCallback) (*ai.ModelResponse, error) {
		m := all[(len(r.Messages)-2)/2]
		if cb != nil {
			for _, p := range m.text {
				if err := cb(ctx, &ai.ModelResponseChunk{Role: ai.RoleModel, Content: []*ai.Part{p}}); err != nil {
					return nil, err
				}
			}
		}
		return &ai.ModelResponse{
			Request:      r,
			FinishReason: ai.FinishReasonStop,
			Message:      &ai.Message{Role: ai.RoleModel, Content: append([]*ai.Part{m.whole}, m.calls...)},
			Usage:        &ai.GenerationUsage{InputTokens: 100, OutputTokens: 20},
		}, nil
	}
}

func setUpGenkit(ctx context.Context) (func(context.Context) error, error) {
	var s shelf
	g := genkit.Init(ctx)
	m := genkit.DefineModel(g, "memory/model", &ai.ModelOptions{
		Supports: &ai.ModelSupports{Multiturn: true, Tools: true, SystemRole: true},
	}, genkitModel())
	find := genkit.DefineTool(g, toolName, toolAbout, func(ctx *ai.ToolContext, q query) (string, error) {
		return s.find(ctx, q)
	})
	return func(ctx context.Context) error {
		streamed := 0
		resp, err := genkit.Generate(ctx, g, ai.WithModel(m), ai.WithSystem(system), ai.WithPrompt(prompt),
			ai.WithTools(find), ai.WithMaxTurns(2*turns),
			ai.WithStreaming(func(_ context.Context, c *ai.ModelResponseChunk) error {
				streamed += len(c.Text())
				return nil
			}))
		if err != nil {
			return err
		}
		said := resp.Text()
		if streamed < len(said) {
			return fmt.Errorf("%d bytes of text were streamed", streamed)
		}
		return s.check(said)
	}, nil
}
