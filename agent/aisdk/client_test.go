package aisdk

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/sse"
)

// client is the message that the AI SDK's client builds from chunks, by the rules of its processUIMessageStream. It is
// for the many random tellings of the tests here; examples/conformance runs the client itself.
type client struct {
	id       string
	parts    []*part
	open     map[string]*part
	metadata string
	finish   string
	failure  string
	done     bool
	began    bool
	stepOpen bool
}

type part struct {
	Type, ID, Text, State, Input, Output, Approval string
}

func newClient() *client { return &client{open: map[string]*part{}} }

// continues prepares for a response that continues the message.
func (c *client) continues() { c.finish, c.done, c.began = "", false, false }

// receive applies the frames. It fails where the client would.
func (c *client) receive(t testing.TB, frames []sse.Event) {
	t.Helper()
	for _, f := range frames {
		require.False(t, c.done, "a frame after [DONE]: %s", f.Data)
		require.Empty(t, f.ID+f.Name)
		if string(f.Data) == "[DONE]" {
			c.done = true
			continue
		}
		var k map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(f.Data, &k), "%s", f.Data)
		require.NoError(t, c.apply(k), "%s", f.Data)
	}
}

func (c *client) apply(k map[string]json.RawMessage) error {
	if c.finish != "" || c.failure != "" {
		return fmt.Errorf("a chunk after the end")
	}
	kind := text(k["type"])
	if kind != "start" && !c.began {
		return fmt.Errorf("no start")
	}
	switch kind {
	case "start":
		if c.began {
			return fmt.Errorf("a second start")
		}
		c.began = true
		c.id = text(k["messageId"])
	case "start-step":
		if c.stepOpen {
			return fmt.Errorf("the step before is open")
		}
		c.stepOpen = true
		c.parts = append(c.parts, &part{Type: "step-start"})
	case "finish-step":
		if len(c.open) > 0 {
			return fmt.Errorf("a part is open")
		}
		c.stepOpen = false
	case "reset-step":
		c.parts = c.parts[:len(c.parts)-len(c.currentStep())]
		c.open = map[string]*part{}
	case "finish":
		c.finish = text(k["finishReason"])
		c.metadata = string(k["messageMetadata"])
	case "message-metadata":
		c.metadata = string(k["messageMetadata"])
	case "error":
		if c.failure = text(k["errorText"]); c.failure == "" {
			return fmt.Errorf("no errorText")
		}
	case "abort":
	case "source-url", "source-document":
		source := text(k["url"]) + text(k["title"]) + text(k["mediaType"])
		c.parts = append(c.parts, &part{Type: kind, ID: source, Text: string(k["providerMetadata"])})
	default:
		switch {
		case strings.HasPrefix(kind, "data-"):
			return c.applyData(kind, k)
		case strings.HasPrefix(kind, "tool-"):
			return c.applyTool(kind, k)
		}
		return c.applyText(kind, k)
	}
	return nil
}

func text(raw json.RawMessage) (s string) {
	_ = json.Unmarshal(raw, &s)
	return s
}

// currentStep returns the parts after the last step-start.
func (c *client) currentStep() []*part {
	i := len(c.parts)
	for i > 0 && c.parts[i-1].Type != "step-start" {
		i--
	}
	return c.parts[i:]
}

func (c *client) applyText(kind string, k map[string]json.RawMessage) error {
	kind, what, _ := strings.Cut(kind, "-")
	if kind != "text" && kind != "reasoning" {
		return fmt.Errorf("unknown type")
	}
	id := kind + text(k["id"])
	p := c.open[id]
	switch {
	case what == "start" && p == nil:
		c.open[id] = &part{Type: kind}
		c.parts = append(c.parts, c.open[id])
	case p == nil:
		return fmt.Errorf("the part is not open")
	case what == "delta":
		p.Text += text(k["delta"])
	case what == "end":
		delete(c.open, id)
	default:
		return fmt.Errorf("unexpected")
	}
	return nil
}

func (c *client) applyData(kind string, k map[string]json.RawMessage) error {
	if len(k["data"]) == 0 {
		return fmt.Errorf("no data")
	}
	p := &part{Type: kind, ID: text(k["id"])}
	if i := slices.IndexFunc(c.parts, func(o *part) bool { return p.ID != "" && o.Type == kind && o.ID == p.ID }); i >= 0 {
		p = c.parts[i]
	} else {
		c.parts = append(c.parts, p)
	}
	p.Output = string(k["data"])
	return nil
}

func (c *client) applyTool(kind string, k map[string]json.RawMessage) error {
	id, approval := text(k["toolCallId"]), text(k["approvalId"])
	find := func(parts []*part) *part {
		for _, p := range slices.Backward(parts) {
			if strings.HasPrefix(p.Type, "tool-") && (p.ID == id || id == "" && p.Approval == approval) {
				return p
			}
		}
		return nil
	}
	if kind == "tool-input-available" {
		if len(k["input"]) == 0 || text(k["toolName"]) == "" {
			return fmt.Errorf("a member is missing")
		}
		if find(c.currentStep()) != nil {
			return fmt.Errorf("the call came twice")
		}
		c.parts = append(c.parts, &part{Type: "tool-" + text(k["toolName"]), ID: id, State: kind, Input: string(k["input"])})
		return nil
	}
	p := find(c.parts)
	if p == nil {
		return fmt.Errorf("unknown call")
	}
	p.State = kind
	switch kind {
	case "tool-output-available":
		p.Output = string(k["output"]) + string(k["preliminary"])
	case "tool-output-error":
		if p.Output = text(k["errorText"]); p.Output == "" {
			return fmt.Errorf("no errorText")
		}
	case "tool-output-denied":
	case "tool-approval-request":
		p.Approval = approval
	case "tool-approval-response":
		p.State += string(k["approved"])
	default:
		return fmt.Errorf("unknown type")
	}
	return nil
}

// message returns what a person would see. Parts of steps without content are left out.
func (c *client) message() string {
	var b strings.Builder
	for i, p := range c.parts {
		if p.Type == "step-start" && (i+1 == len(c.parts) || c.parts[i+1].Type == "step-start") {
			continue
		}
		fmt.Fprintf(&b, "%+v\n", *p)
	}
	fmt.Fprintf(&b, "%s finish=%s error=%s %s\n", c.id, c.finish, c.failure, c.metadata)
	return b.String()
}
