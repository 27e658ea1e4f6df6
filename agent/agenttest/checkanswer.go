package agenttest

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/tools"
)

// checkAnswer fails if a complete answer breaks a rule of [agent.Model].
func (p *probe) checkAnswer(s *transcript, r *agent.Request) {
	c := answerChecker{probe: p, offered: r.Tools, fragments: map[string]*fragments{}, ids: map[string]bool{}}
	for _, d := range s.deltas {
		c.checkDelta(d)
	}
	for id := range c.fragments {
		p.fail("the call %q has fragments but no UsePart", id)
	}
	if c.stops == 0 {
		p.fail("the stream ends without a StopPart and without an error")
	}
	if !utf8.ValidString(s.text()) {
		p.fail("the text is not UTF-8: %.200q", s.text())
	}
}

type answerChecker struct {
	*probe
	offered   []tools.Spec
	stops     int
	reasoning string                // deltas whose block has not come yet
	fragments map[string]*fragments // of calls that are not complete yet, by id
	ids       map[string]bool       // of the calls that are complete
}

type fragments struct{ name, input string }

func (c *answerChecker) checkDelta(d agent.Delta) {
	switch d.(type) {
	case agent.UsageReport, agent.SkippedPart:
	default:
		if c.stops > 0 {
			c.fail("%T follows the StopPart: only a UsageReport or a SkippedPart may follow", d)
		}
	}
	switch d := d.(type) {
	case agent.ReasoningDelta:
		c.reasoning += d.Text
	case agent.ReasoningPart:
		c.checkReasoningPart(d)
	case agent.UseDelta:
		c.addFragment(d)
	case agent.UsePart:
		c.checkCall(d.ToolUse)
	case agent.UsageReport:
		if u := d.Usage; min(u.Input, u.Output, u.CacheRead, u.CacheWrite) < 0 {
			c.fail("the usage is negative: %+v", u)
		}
	case agent.StopPart:
		c.stops++
		if d.Reason == "" {
			c.fail("the stop reason is empty")
		}
		if d.Reason == agent.StopToolUse && len(c.ids) == 0 {
			c.fail("the stop reason is %q, but the answer has no call", d.Reason)
		}
	}
}

func (c *answerChecker) checkReasoningPart(d agent.ReasoningPart) {
	if c.reasoning != "" && c.reasoning != d.Text {
		c.fail("the deltas of the reasoning are %.200q, but the whole is %.200q", c.reasoning, d.Text)
	}
	if len(d.Redacted) > 0 && (d.Text != "" || d.Signature != "") {
		c.fail("a block of reasoning is redacted and has a text or a signature")
	}
	c.reasoning = ""
}

func (c *answerChecker) addFragment(d agent.UseDelta) {
	if c.ids[d.ID] {
		c.fail("a fragment of the call %q follows its UsePart", d.ID)
	}
	f := c.fragments[d.ID]
	if f == nil {
		f = &fragments{}
		c.fragments[d.ID] = f
	}
	f.input += d.Input
	if d.Name != "" {
		f.name = d.Name
	}
}

func (c *answerChecker) checkCall(u agent.ToolUse) {
	if !utf8.ValidString(u.ID) {
		c.fail("the id of a call is not UTF-8: %.300q", u.ID)
	}
	if u.ID != "" && c.ids[u.ID] {
		c.fail("two calls have the id %q", u.ID)
	}
	c.ids[u.ID] = true
	if !slices.ContainsFunc(c.offered, func(s tools.Spec) bool { return s.Name == u.Name }) {
		c.fail("the answer calls %q, which was not offered", u.Name)
	}
	if f := c.fragments[u.ID]; f != nil {
		if f.input != string(u.Input) {
			c.fail("the fragments of the call %q are %.200q, but the whole is %.200q", u.ID, f.input, u.Input)
		}
		if f.name != "" && f.name != u.Name {
			c.fail("the fragments of the call %q name %q, but the whole names %q", u.ID, f.name, u.Name)
		}
		delete(c.fragments, u.ID)
	}
}

var (
	modelCodes = []agent.Code{agent.CodeThrottled, agent.CodeAccessDenied, agent.CodeInvalidCall, agent.CodeUnavailable,
		agent.CodeTruncated,
		agent.CodeTimeout, agent.CodeFiltered, agent.CodeContextFull, agent.CodeMalformed, agent.CodeInternal}
	internalNames = regexp.MustCompile(`\barn:|\b\d{12}\b|https?://|\b\d{1,3}(?:\.\d{1,3}){3}\b`)
)

// checkModelError fails unless err is a *ModelError whose message a person may see. The service's message holds secret.
func (p *probe) checkModelError(err error, secret string) {
	if err == nil {
		p.fail("the stream ends without an error")
	}
	e, ok := errors.AsType[*agent.ModelError](err)
	switch {
	case !ok:
		p.fail("the error is a %T, want an *agent.ModelError: %v", err, err)
	case !slices.Contains(modelCodes, e.Code):
		p.fail("the error has the code %q, want a code of agent.ModelError", e.Code)
	case strings.TrimSpace(e.Message) == "":
		p.fail("the error has an empty message: %v", err)
	case internalNames.MatchString(e.Message):
		p.fail("the message of the error, which a person may see, names an ARN, an account or a host: %.200q", e.Message)
	case strings.Contains(e.Message, secret), e.Err != nil && strings.Contains(e.Message, e.Err.Error()):
		p.fail("the message of the error, which a person may see, repeats its cause: %.200q", e.Message)
	}
}

// checkContextError fails unless err is the error of a context.
func (p *probe) checkContextError(err, want error) {
	switch {
	case err == nil:
		p.fail("the stream ends without an error, want %q", want.Error())
	case !errors.Is(err, want):
		p.fail("the error is %q, want %q", err.Error(), want.Error())
	}
}
