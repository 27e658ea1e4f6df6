package main

import (
	"context"
	"errors"
	"fmt"

	"charm.land/fantasy"
)

// fantasyModel answers with prepared parts.
type fantasyModel [][]fantasy.StreamPart

func (m fantasyModel) Stream(_ context.Context, c fantasy.Call) (fantasy.StreamResponse, error) {
	n := 0
	for _, msg := range c.Prompt {
		if msg.Role == fantasy.MessageRoleAssistant {
			n++
		}
	}
	return func(yield func(fantasy.StreamPart) bool) {
		for _, p := range m[n] {
			if !yield(p) {
				return
			}
		}
	}, nil
}

var errStreamsOnly = errors.New("this model only supports streaming")

func (fantasyModel) Generate(context.Context, fantasy.Call) (*fantasy.Response, error) {
	return nil, errStreamsOnly
}

func (fantasyModel) GenerateObject(context.Context, fantasy.ObjectCall) (*fantasy.ObjectResponse, error) {
	return nil, errStreamsOnly
}

func (fantasyModel) StreamObject(context.Context, fantasy.ObjectCall) (fantasy.ObjectStreamResponse, error) {
	return nil, errStreamsOnly
}

func (fantasyModel) Provider() string { return "memory" }
func (fantasyModel) Model() string    { return "model" }

func setUpFantasy(context.Context) (func(context.Context) error, error) {
	var s shelf
	find := fantasy.NewParallelAgentTool(toolName, toolAbout,
		func(ctx context.Context, q query, _ fantasy.ToolCall) (fantasy.ToolResponse, error) {
			found, err := s.find(ctx, q)
			return fantasy.NewTextResponse(found), err
		})
	var m fantasyModel
	for _, t := range script() {
		ps := []fantasy.StreamPart{{Type: fantasy.StreamPartTypeTextStart, ID: "0"}}
		for _, p := range t.Text {
			ps = append(ps, fantasy.StreamPart{Type: fantasy.StreamPartTypeTextDelta, ID: "0", Delta: p})
		}
		ps = append(ps, fantasy.StreamPart{Type: fantasy.StreamPartTypeTextEnd, ID: "0"})
		reason := fantasy.FinishReasonStop
		for _, c := range t.Calls {
			ps = append(ps, fantasy.StreamPart{Type: fantasy.StreamPartTypeToolCall, ID: c.ID, ToolCallName: toolName,
				ToolCallInput: c.Input})
			reason = fantasy.FinishReasonToolCalls
		}
		m = append(m, append(ps, fantasy.StreamPart{Type: fantasy.StreamPartTypeFinish, FinishReason: reason,
			Usage: fantasy.Usage{InputTokens: 100, OutputTokens: 20}}))
	}
	a := fantasy.NewAgent(m, fantasy.WithSystemPrompt(system), fantasy.WithTools(find),
		fantasy.WithStopConditions(fantasy.StepCountIs(2*turns)))
	return func(ctx context.Context) error {
		streamed := 0
		res, err := a.Stream(ctx, fantasy.AgentStreamCall{
			Prompt:      prompt,
			OnTextDelta: func(_, text string) error { streamed += len(text); return nil },
		})
		if err != nil {
			return err
		}
		said := res.Response.Content.Text()
		if streamed < len(said) {
			return fmt.Errorf("%d bytes of text were streamed", streamed)
		}
		return s.check(said)
	}, nil
}
