package agenttest

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/tools"
)

func say(r agent.Role, texts ...string) agent.Message {
	m := agent.Message{Role: r}
	for _, t := range texts {
		m.Parts = append(m.Parts, agent.Part{Text: t})
	}
	return m
}

// after puts messages before those of the request; where they end with the user's, its parts lead the first message.
func (b *bench) after(w Behaviour, history ...agent.Message) *agent.Request {
	r := b.request(w, word(0))
	ask := r.Messages
	if n := len(history); n > 0 && history[n-1].Role == agent.User {
		ask = append([]agent.Message(nil), ask...)
		ask[0].Parts = append(append([]agent.Part(nil), history[n-1].Parts...), ask[0].Parts...)
		history = history[:n-1]
	}
	r.Messages = append(append([]agent.Message(nil), history...), ask...)
	return r
}

// told fails unless the model, told so, says its word.
func (b *bench) told(r *agent.Request) {
	if s := b.ask(r); !strings.Contains(s.text(), word(0)) {
		b.fail("it says %.200q, without %q", s.text(), word(0))
	}
}

func longHistory(b *bench, w Behaviour) {
	var history []agent.Message
	for i := range 100 {
		history = append(history, say(agent.User, fmt.Sprintf("Remember the number %d. %s", i, strings.Repeat("It is a number. ", 20))),
			say(agent.Assistant, fmt.Sprintf("I remember %d.", i)))
	}
	b.told(b.after(w, history...))
}

// calls is a conversation in which tools were called, with results of every kind that a run can give.
func calls() []agent.Message {
	results := []tools.Result{
		{Blocks: []tools.Block{{Text: "a word"}}, Summary: "a word"},
		{Blocks: []tools.Block{{JSON: json.RawMessage(`{"word":"alder","rank":[1,2.5,null]}`)}}, Summary: "alder"},
		{Blocks: []tools.Block{{JSON: json.RawMessage(`42`)}, {Text: "of them"}}, Summary: "42"},
		{Blocks: []tools.Block{{JSON: json.RawMessage(`["a","b"]`)}}, Summary: "two"},
		{Blocks: []tools.Block{{Text: " \n"}}, Summary: "(no output)"},
		{Summary: "(no output)"},
		{Blocks: []tools.Block{{Text: "There is no such word."}}, Summary: "There is no such word.", IsError: true},
	}
	ask := agent.Message{Role: agent.Assistant, Parts: []agent.Part{{Text: "I look them up."}}}
	var answer agent.Message
	answer.Role = agent.User
	for i, r := range results {
		id := fmt.Sprintf("earlier-%d", i)
		ask.Parts = append(ask.Parts, agent.Part{Use: &agent.ToolUse{ID: id, Name: lookUp.Name, Input: json.RawMessage(`{"word":"alder"}`)}})
		answer.Parts = append(answer.Parts, agent.Part{Result: &agent.ToolResult{ID: id, Result: r}})
	}
	return []agent.Message{say(agent.User, "Look some words up."), ask, answer}
}

func callHistory(b *bench, w Behaviour) {
	b.told(b.after(w, calls()...))
	b.told(b.after(w, append(calls(), say(agent.Assistant, "That is all."))...))
}

// goneTools: what was called once need not be offered any more.
func goneTools(b *bench, w Behaviour) {
	r := b.after(w, calls()...)
	r.Tools = nil
	b.told(r)
}

// foreignCallIDs asks with a history that another service has begun: its ids are not what this service would give, and
// one of them comes twice.
func foreignCallIDs(b *bench, w Behaviour) {
	var history []agent.Message
	for _, answer := range [][]string{{"call_0", " functions.look_up:0", "call|fc_1", strings.Repeat("x", 65), ""}, {"call_0"}} {
		ask, results := agent.Message{Role: agent.Assistant}, agent.Message{Role: agent.User}
		for _, id := range answer {
			ask.Parts = append(ask.Parts, agent.Part{Use: &agent.ToolUse{ID: id, Name: lookUp.Name, Input: json.RawMessage(`{"word":"alder"}`)}})
			results.Parts = append(results.Parts, agent.Part{Result: &agent.ToolResult{ID: id, Result: tools.Result{Blocks: []tools.Block{{Text: "a tree"}}}}})
		}
		history = append(history, ask, results)
	}
	b.told(b.after(w, append([]agent.Message{say(agent.User, "Look some words up.")}, history...)...))
}

func blankText(b *bench, w Behaviour) {
	b.told(b.after(w, say(agent.User, "Are you there?", "\n"), say(agent.Assistant, " ", "Yes.", "\t\n")))
}

func reasoningHistory(b *bench, w Behaviour) {
	s := b.ask(b.request(w, word(0)))
	m := agent.Message{Role: agent.Assistant}
	for _, d := range s.deltas {
		if p, ok := d.(agent.ReasoningPart); ok {
			r := p.Reasoning
			m.Parts = append(m.Parts, agent.Part{Reasoning: &r})
		}
	}
	m.Parts = append(m.Parts, agent.Part{Text: s.text()})
	b.told(b.after(w, append(b.o.Request(w, word(0)).Messages, m)...))
}
