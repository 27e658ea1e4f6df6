package agenttest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/tools"
)

func newMessage(r agent.Role, texts ...string) agent.Message {
	m := agent.Message{Role: r}
	for _, t := range texts {
		m.Parts = append(m.Parts, agent.Part{Text: t})
	}
	return m
}

// withHistory returns a request whose messages follow the history. If the history ends with a message of the user, its
// parts become the first of the request's message.
func (p *probe) withHistory(b behaviour, history ...agent.Message) *agent.Request {
	r := p.newRequest(b, word)
	messages := slices.Clone(r.Messages)
	if n := len(history); n > 0 && history[n-1].Role == agent.RoleUser {
		messages[0].Parts = slices.Concat(history[n-1].Parts, messages[0].Parts)
		history = history[:n-1]
	}
	r.Messages = slices.Concat(history, messages)
	return r
}

// checkAnswers fails unless the model says its word after the history.
func (p *probe) checkAnswers(history ...agent.Message) {
	p.checkContains(p.readAnswer(p.withHistory(speak, history...)), word)
}

func checkLongHistory(p *probe) {
	var history []agent.Message
	for i := range 100 {
		history = append(history,
			newMessage(agent.RoleUser, fmt.Sprintf("Remember the number %d. %s", i, strings.Repeat("It is a number. ", 20))),
			newMessage(agent.RoleAssistant, fmt.Sprintf("I remember %d.", i)))
	}
	p.checkAnswers(history...)
}

// callHistory returns a conversation with calls, and results of every kind that a run can produce.
func callHistory() []agent.Message {
	results := []tools.Result{
		{Blocks: []tools.Block{{Text: "a word"}}, Summary: "a word"},
		{Blocks: []tools.Block{{JSON: json.RawMessage(`{"word":"alder","rank":[1,2.5,null]}`)}}, Summary: "alder"},
		{Blocks: []tools.Block{{JSON: json.RawMessage(`42`)}, {Text: "of them"}}, Summary: "42"},
		{Blocks: []tools.Block{{JSON: json.RawMessage(`["a","b"]`)}}, Summary: "two"},
		{Blocks: []tools.Block{{Text: " \n"}}, Summary: "(no output)"},
		{Summary: "(no output)"},
		{Blocks: []tools.Block{{Text: "There is no such word."}}, Summary: "There is no such word.", IsError: true},
	}
	question := agent.Message{Role: agent.RoleAssistant, Parts: []agent.Part{{Text: "I look them up."}}}
	answer := agent.Message{Role: agent.RoleUser}
	for i, r := range results {
		question.Parts = append(question.Parts, newCall(fmt.Sprintf("earlier-%d", i)))
		answer.Parts = append(answer.Parts,
			agent.Part{Result: &agent.ToolResult{ID: fmt.Sprintf("earlier-%d", i), Result: r}})
	}
	return []agent.Message{newMessage(agent.RoleUser, "Look some words up."), question, answer}
}

func newCall(id string) agent.Part {
	return agent.Part{Use: &agent.ToolUse{ID: id, Name: lookUp.Name, Input: json.RawMessage(`{"word":"alder"}`)}}
}

func checkCallHistory(p *probe) {
	p.checkAnswers(callHistory()...)
	p.checkAnswers(append(callHistory(), newMessage(agent.RoleAssistant, "That is all."))...)
}

// checkRemovedTools sends calls of a tool that is not offered any more.
func checkRemovedTools(p *probe) {
	r := p.withHistory(speak, callHistory()...)
	r.Tools = nil
	p.checkContains(p.readAnswer(r), word)
}

// checkForeignCallIDs sends a history that another service began. Its ids do not fit the model's service, and one
// occurs twice.
func checkForeignCallIDs(p *probe) {
	history := []agent.Message{newMessage(agent.RoleUser, "Look some words up.")}
	for _, ids := range [][]string{{"call_0", " functions.look_up:0", "call|fc_1", strings.Repeat("x", 65), ""},
		{"call_0"}} {
		question, answer := agent.Message{Role: agent.RoleAssistant}, agent.Message{Role: agent.RoleUser}
		for _, id := range ids {
			question.Parts = append(question.Parts, newCall(id))
			result := tools.Result{Blocks: []tools.Block{{Text: "a tree"}}}
			answer.Parts = append(answer.Parts, agent.Part{Result: &agent.ToolResult{ID: id, Result: result}})
		}
		history = append(history, question, answer)
	}
	p.checkAnswers(history...)
}

func checkBlankText(p *probe) {
	p.checkAnswers(newMessage(agent.RoleUser, "Are you there?", "\n"),
		newMessage(agent.RoleAssistant, " ", "Yes.", "\t\n"))
}

// checkReasoningHistory sends the model's reasoning back.
func checkReasoningHistory(p *probe) {
	s := p.readAnswer(p.newRequest(reason, word))
	m := agent.Message{Role: agent.RoleAssistant}
	for _, d := range s.deltas {
		if part, ok := d.(agent.ReasoningPart); ok {
			m.Parts = append(m.Parts, agent.Part{Reasoning: &part.Reasoning})
		}
	}
	m.Parts = append(m.Parts, agent.Part{Text: s.text()})
	history := reason.newRequest(word).Messages
	history = append(history, m)
	p.checkContains(p.readAnswer(p.withHistory(reason, history...)), word)
}
