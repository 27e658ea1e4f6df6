package main

import (
	"context"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/carrel-go/carrel/agent"
)

// model answers by a script.
type model struct {
	pace time.Duration // between two words
}

// defaultWords is the length of an answer whose message does not say another.
const defaultWords = 12

// Stream implements [agent.Model].
func (m *model) Stream(ctx context.Context, r *agent.Request) iter.Seq2[agent.Delta, error] {
	return func(yield func(agent.Delta, error) bool) {
		for _, d := range script(r) {
			if d == nil { // never ends
				<-ctx.Done()
			}
			select {
			case <-time.After(m.pace):
			case <-ctx.Done():
				yield(nil, context.Cause(ctx))
				return
			}
			if !yield(d, nil) {
				return
			}
		}
	}
}

// script returns the answer to a request. A nil piece waits for ever.
func script(r *agent.Request) []agent.Delta {
	parts := r.Messages[len(r.Messages)-1].Parts
	isContinued := parts[len(parts)-1].Result != nil
	words := strings.Fields(lastText(r.Messages))
	if len(words) == 0 {
		words = []string{"nothing"}
	}
	usage := agent.UsageReport{Usage: agent.Usage{Input: 10, Output: int64(len(words)), CacheRead: 5}, Model: "script"}
	var answer []agent.Delta
	switch {
	case words[0] == "wait":
		return append(say("I wait."), nil)
	case isContinued:
		answer = append(think("I have it."), say(story(words))...)
	case words[0] == "lend":
		answer = say("I lend.")
		for i, title := range words[1:] {
			answer = append(answer, call(i, "lend", title))
		}
	default:
		answer = append(think("Let me look."), say("I look it up.")...)
		answer = append(answer, call(0, "find", "Emma"), call(1, "find", "Persuasion"))
	}
	return append(answer, usage, agent.StopPart{Reason: agent.StopEndTurn})
}

// lastText returns the last message of the user.
func lastText(messages []agent.Message) string {
	for i := len(messages) - 1; i >= 0; i-- {
		for _, p := range messages[i].Parts {
			if messages[i].Role == agent.RoleUser && p.Result == nil {
				return p.Text
			}
		}
	}
	return ""
}

// story returns a text whose length in words the last word of the message says.
func story(words []string) string {
	n, err := strconv.Atoi(words[len(words)-1])
	if err != nil || n < 1 || n > 10_000 {
		n = defaultWords
	}
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "word%d ", i+1)
	}
	return b.String() + "end."
}

func say(text string) (deltas []agent.Delta) {
	for _, word := range strings.SplitAfter(text, " ") {
		deltas = append(deltas, agent.TextDelta{Text: word})
	}
	return deltas
}

func think(text string) (deltas []agent.Delta) {
	for _, word := range strings.SplitAfter(text, " ") {
		deltas = append(deltas, agent.ReasoningDelta{Text: word})
	}
	return append(deltas, agent.ReasoningPart{Reasoning: agent.Reasoning{Text: text}})
}

func call(i int, tool, title string) agent.Delta {
	return agent.UsePart{ToolUse: agent.ToolUse{ID: fmt.Sprint("call", i), Name: tool,
		Input: fmt.Appendf(nil, `{"title":%q}`, title)}}
}
