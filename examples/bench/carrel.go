package main

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/tools"
)

// carrelModel answers with prepared deltas. It copies the arguments, since the agent owns them.
type carrelModel [][]agent.Delta

func (m carrelModel) Stream(_ context.Context, r *agent.Request) iter.Seq2[agent.Delta, error] {
	return func(yield func(agent.Delta, error) bool) {
		for _, d := range m[(len(r.Messages)-1)/2] {
			if u, ok := d.(agent.UsePart); ok {
				u.Input = slices.Clone(u.Input)
				d = u
			}
			if !yield(d, nil) {
				return
			}
		}
	}
}

func setUpCarrel(context.Context) (func(context.Context) error, error) {
	var s shelf
	find, err := tools.New(toolName, toolAbout, func(ctx context.Context, _ *tools.Call, q query) (string, error) {
		return s.find(ctx, q)
	})
	if err != nil {
		return nil, err
	}
	var m carrelModel
	for _, t := range script() {
		var ds []agent.Delta
		for _, p := range t.Text {
			ds = append(ds, agent.TextDelta{Text: p})
		}
		reason := agent.StopEndTurn
		for _, c := range t.Calls {
			ds = append(ds, agent.UsePart{ToolUse: agent.ToolUse{ID: c.ID, Name: toolName, Input: json.RawMessage(c.Input)}})
			reason = agent.StopToolUse
		}
		m = append(m, append(ds, agent.StopPart{Reason: reason},
			agent.UsageReport{Usage: agent.Usage{Input: 100, Output: 20}}))
	}
	a, err := agent.New(m, &agent.Options{System: system, Tools: tools.Of(find)})
	if err != nil {
		return nil, err
	}
	acme, err := scope.Tenant("acme")
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		said := ""
		streamed := 0
		for ev, err := range a.Stream(ctx, agent.Input{Scope: acme, Run: "run-1", Prompt: prompt}) {
			if err != nil {
				return err
			}
			switch ev := ev.(type) {
			case agent.TextDelta:
				streamed += len(ev.Text)
			case agent.Done:
				last := ev.History.Turns[len(ev.History.Turns)-1]
				said = last.Messages[0].Parts[0].Text
			}
		}
		if streamed < len(said) {
			return fmt.Errorf("%d bytes of text were streamed", streamed)
		}
		return s.check(said)
	}, nil
}
