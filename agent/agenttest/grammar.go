package agenttest

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/carrel-go/carrel/agent"
)

// whole fails if an answer that has come to its end is not as a Model's must be.
func (b *bench) whole(s *seen, r *agent.Request) {
	stops := 0
	thought := ""
	pieces := map[string]string{} // of the arguments of calls that are not whole yet
	names := map[string]string{}
	ids := map[string]bool{}
	for _, d := range s.deltas {
		if _, ok := d.(agent.UsagePart); stops > 0 && !ok {
			if _, again := d.(agent.StopPart); again {
				b.fail("it stops twice")
			}
			b.fail("it goes on after its StopPart, with %T", d)
		}
		switch d := d.(type) {
		case agent.ReasoningDelta:
			thought += d.Text
		case agent.ReasoningPart:
			if thought != "" && thought != d.Text {
				b.fail("the pieces of its reasoning are %.200q, and the whole is %.200q", thought, d.Text)
			}
			if len(d.Redacted) > 0 && (d.Text != "" || d.Signature != "") {
				b.fail("its reasoning is both redacted and not")
			}
			thought = ""
		case agent.UseDelta:
			if ids[d.ID] {
				b.fail("a piece of the call %q comes after the whole call", d.ID)
			}
			pieces[d.ID] += d.Input
			if d.Name != "" {
				names[d.ID] = d.Name
			}
		case agent.UsePart:
			b.use(d.ToolUse, ids, r)
			if p, ok := pieces[d.ID]; ok && p != string(d.Input) {
				b.fail("the pieces of the call %q are %.200q, and the whole is %.200q", d.ID, p, d.Input)
			}
			if n, ok := names[d.ID]; ok && n != d.Name {
				b.fail("the pieces of the call %q are of %q, and the whole is of %q", d.ID, n, d.Name)
			}
			delete(pieces, d.ID)
		case agent.UsagePart:
			if u := d.Usage; min(u.Input, u.Output, u.CacheRead, u.CacheWrite) < 0 {
				b.fail("its usage is negative: %+v", u)
			}
		case agent.StopPart:
			stops++
			if d.Reason == "" {
				b.fail("it stops without a reason")
			}
			if d.Reason == agent.ToolUseReason && len(ids) == 0 {
				b.fail("it stops for a tool call, and none came")
			}
		}
	}
	for id := range pieces {
		b.fail("the call %q is never whole", id)
	}
	if stops == 0 {
		b.fail("it ends without a StopPart and without an error")
	}
	if !utf8.ValidString(s.text()) {
		b.fail("its text is not UTF-8: %.200q", s.text())
	}
}

func (b *bench) use(u agent.ToolUse, ids map[string]bool, r *agent.Request) {
	if !utf8.ValidString(u.ID) {
		b.fail("the id of a call is %.300q, which is not UTF-8", u.ID)
	}
	if u.ID != "" && ids[u.ID] {
		b.fail("two calls have the id %q", u.ID)
	}
	ids[u.ID] = true
	for _, t := range r.Tools {
		if t.Name == u.Name {
			return
		}
	}
	b.fail("it calls %q, which was not offered", u.Name)
}

var (
	codes = []agent.Code{agent.Throttled, agent.AccessDenied, agent.InvalidCall, agent.Unavailable, agent.Truncated,
		agent.Timeout, agent.Filtered, agent.ContextFull, agent.BadOutput, agent.Internal}
	internals = regexp.MustCompile(`\barn:|\b\d{12}\b|https?://|\b\d{1,3}(?:\.\d{1,3}){3}\b`)
)

// modelError fails unless err is one that a run can be ended with.
func (b *bench) modelError(err error) {
	if err == nil {
		b.fail("it ends without an error")
	}
	e, ok := errors.AsType[*agent.ModelError](err)
	switch {
	case !ok:
		b.fail("its error is a %T, not an *agent.ModelError: %w", err, err)
	case !slices.Contains(codes, e.Code):
		b.fail("its error has the code %q, which is none of a model's", e.Code)
	case strings.TrimSpace(e.Message) == "":
		b.fail("its error has no message: %w", err)
	case internals.MatchString(e.Message):
		b.fail("the message of its error, which a person may see, names an ARN, an account or a host: %.200q", e.Message)
	}
}
