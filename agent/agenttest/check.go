package agenttest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/tools"
)

// Check says what is wrong with a request, or nil. It keeps and changes nothing of the request.
type Check func(r *agent.Request) error

// Told passes if the last message holds the words in its text.
func Told(words string) Check {
	return func(r *agent.Request) error {
		if text := lastText(r); !strings.Contains(text, words) {
			return fmt.Errorf("the model is told %q, want %q in it", text, words)
		}
		return nil
	}
}

// Resulted passes if the last message holds the result of the call with this id, a success whose blocks hold the
// words.
func Resulted(id, words string) Check { return resulted(id, words, false) }

// Failed is [Resulted] of a call that failed.
func Failed(id, words string) Check { return resulted(id, words, true) }

func resulted(id, words string, failed bool) Check {
	return func(r *agent.Request) error {
		for _, p := range last(r) {
			if p.Result == nil || p.Result.ID != id {
				continue
			}
			res := p.Result.Result
			switch text := blocks(res); {
			case res.IsError != failed:
				return fmt.Errorf("the call %q has a result whose IsError is %v, want %v: %q", id, res.IsError, failed, text)
			case !strings.Contains(text, words):
				return fmt.Errorf("the call %q has the result %q, want %q in it", id, text, words)
			}
			return nil
		}
		return fmt.Errorf("the last message has no result of the call %q", id)
	}
}

// Offered passes if exactly these tools are offered, in any order.
func Offered(names ...string) Check {
	names = slices.Sorted(slices.Values(names))
	return func(r *agent.Request) error {
		got := make([]string, len(r.Tools))
		for i, s := range r.Tools {
			got[i] = s.Name
		}
		slices.Sort(got)
		if !slices.Equal(got, names) {
			return fmt.Errorf("the tools %q are offered, want %q", got, names)
		}
		return nil
	}
}

func last(r *agent.Request) []agent.Part {
	if len(r.Messages) == 0 {
		return nil
	}
	return r.Messages[len(r.Messages)-1].Parts
}

func lastText(r *agent.Request) string { return texts(last(r)) }

func texts(parts []agent.Part) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(p.Text)
	}
	return b.String()
}

func blocks(r tools.Result) string {
	var b strings.Builder
	for _, bl := range r.Blocks {
		b.WriteString(bl.Text)
		b.Write(bl.JSON)
	}
	return b.String()
}
