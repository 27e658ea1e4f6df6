package agenttest

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/carrel-go/carrel/agent"
)

// TestOptions configures [TestModel]. A nil *TestOptions means the defaults.
type TestOptions struct {
	// Skip maps the names of checks that do not apply to the model to the reason, for example
	// {"reasoning": "the service does not stream it"}. An unknown name fails the test.
	Skip map[string]string
}

const (
	// answerTimeout bounds an answer, from the request to its end.
	answerTimeout = time.Minute
	// releaseTimeout bounds the time in which a stream returns after its context has ended, and in which its goroutines
	// end, such as those of a connection that is being closed.
	releaseTimeout = 2 * time.Second
)

// TestModel runs a subtest for each promise of [agent.Model]. The subtests are parallel, and -run selects them by the
// name of the calling test: for example -run 'TestBedrock/reasoning'. They send some hundred requests, up to 16 at a
// time. An answer may take a minute.
//
// The model must do what the requests ask for. Put an [Actor] behind the server that the model calls: it understands
// them. A stream that does not return in time fails its check and is abandoned.
func TestModel(t *testing.T, m agent.Model, o *TestOptions) {
	t.Helper()
	if m == nil {
		t.Fatal("agenttest: the model must not be nil")
	}
	var skip map[string]string
	if o != nil {
		skip = o.Skip
	}
	for name := range skip {
		if !slices.ContainsFunc(checks, func(c check) bool { return c.name == name }) {
			t.Fatalf("agenttest: unknown check %q in TestOptions.Skip", name)
		}
	}
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if reason, ok := skip[c.name]; ok {
				t.Skip(reason)
			}
			c.run(newProbe(t, m, c.name))
		})
	}
}

type check struct {
	name string
	run  func(*probe)
}

var checks = []check{
	{"text", func(p *probe) { p.checkText(speak) }},
	{"one call", checkOneCall},
	{"many calls", checkManyCalls},
	{"reasoning", checkReasoning},
	{"media", func(p *probe) { p.checkText(look) }},
	{"system prompt", checkSystemPrompt},
	{"tool choice", checkToolChoice},
	{"max tokens", checkMaxTokens},
	{"result error flag", checkErrorFlag},
	{"unchanged request", func(p *probe) { p.checkRequestUnchanged(speak) }},
	{"unchanged request of a call", func(p *probe) { p.checkRequestUnchanged(callOnce) }},
	{"unchanged media", func(p *probe) { p.checkRequestUnchanged(look) }},
	{"input ownership", checkInputOwnership},
	{"lazy start", checkLazyStart},
	{"leaving a silent stream", checkLeavingSilence},
	{"leaving at each delta", checkLeavingAnywhere},
	{"consumer panic", checkConsumerPanic},
	{"ended context", checkEndedContext},
	{"cancellation", checkCancellation},
	{"deadline", checkDeadline},
	{"error before text", checkEarlyError},
	{"error after text", checkLateError},
	{"concurrent text", checkConcurrentText},
	{"concurrent calls", checkConcurrentCalls},
	{"long history", checkLongHistory},
	{"history of calls", checkCallHistory},
	{"history of removed tools", checkRemovedTools},
	{"foreign call ids", checkForeignCallIDs},
	{"blank text", checkBlankText},
	{"history of reasoning", checkReasoningHistory},
}

// tester is the part of [testing.T] that a check uses. Fatalf ends the check's goroutine.
type tester interface {
	Context() context.Context
	Fatalf(format string, args ...any)
}
