package agenttest

import (
	"fmt"
	"strings"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/tools"
)

// Check returns an error if a request is not the expected one. It must not change the request, or keep it.
type Check func(r *agent.Request) error

// HasText checks that the text of the last message contains words.
func HasText(words string) Check {
	return func(r *agent.Request) error {
		if text := joinText(lastParts(r)); !strings.Contains(text, words) {
			return fmt.Errorf("the last message says %q, want %q in it", text, words)
		}
		return nil
	}
}

// HasResult checks that the last message contains a successful result of the call with this id, and words in its
// blocks.
func HasResult(id, words string) Check { return hasResult(id, words, false) }

// HasError is like [HasResult], for a failed result.
func HasError(id, words string) Check { return hasResult(id, words, true) }

func hasResult(id, words string, isError bool) Check {
	return func(r *agent.Request) error {
		for _, p := range lastParts(r) {
			if p.Result == nil || p.Result.ID != id {
				continue
			}
			res := p.Result.Result
			switch text := joinBlocks(res); {
			case res.IsError != isError:
				return fmt.Errorf("the result of the call %q has IsError %v, want %v: %q", id, res.IsError, isError, text)
			case !strings.Contains(text, words):
				return fmt.Errorf("the result of the call %q is %q, want %q in it", id, text, words)
			}
			return nil
		}
		return fmt.Errorf("the last message does not have a result of the call %q", id)
	}
}

func lastParts(r *agent.Request) []agent.Part {
	if len(r.Messages) == 0 {
		return nil
	}
	return r.Messages[len(r.Messages)-1].Parts
}

func joinText(parts []agent.Part) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(p.Text)
	}
	return b.String()
}

func joinBlocks(r tools.Result) string {
	var b strings.Builder
	for _, bl := range r.Blocks {
		b.WriteString(bl.Text)
		b.Write(bl.JSON)
	}
	return b.String()
}
