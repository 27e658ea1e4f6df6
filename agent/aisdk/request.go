package aisdk

import (
	"strings"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/internal/frontend"
	"github.com/carrel-go/carrel/internal/strictjson"
)

const maxDecisions = 64

// request is the content of a POST that is read.
type request struct {
	chat       string
	regenerate bool
	message    string // the id of the last message
	text       string // of the user, or empty
	decisions  []agent.Decision
}

// parseRequest reads {"id":…,"messages":[…],"trigger":…,"messageId":…}. It ignores other members.
func parseRequest(body []byte) (*request, error) {
	doc, err := strictjson.ParseObject(body)
	if err != nil {
		return nil, frontend.NewInvalid("The request is %v.", err)
	}
	q := &request{}
	if q.chat, err = frontend.ParseID(doc, "id"); err != nil {
		return nil, err
	}
	switch trigger, _ := doc.Get("trigger"); trigger.Text() {
	case "submit-message":
	case "regenerate-message":
		q.regenerate = true
	default:
		return nil, frontend.NewInvalid(`The member "trigger" must be "submit-message" or "regenerate-message".`)
	}
	message, err := findMessage(doc, q.regenerate)
	if err != nil {
		return nil, err
	}
	if q.message, err = frontend.ParseID(message, "id"); err != nil {
		return nil, err
	}
	parts, _ := message.Get("parts")
	role, _ := message.Get("role")
	switch role := role.Text(); {
	case role == "user":
		q.text, err = parseText(parts)
	case role == "assistant" && !q.regenerate:
		q.decisions, err = parseDecisions(parts)
	default:
		err = frontend.NewInvalid("The last message must be of the user.")
	}
	if err != nil {
		return nil, err
	}
	return q, nil
}

// findMessage returns the message that a request is about: the one with its messageId if that is of the assistant, for
// the approvals in it, and otherwise the last one.
func findMessage(doc strictjson.Value, regenerate bool) (last strictjson.Value, _ error) {
	list, ok := doc.Get("messages")
	if !ok || list.Type() != strictjson.Array || list.Len() == 0 {
		return last, frontend.NewInvalid(`The member "messages" must be a list with a message.`)
	}
	id, hasID := doc.Get("messageId")
	for m := range list.Items() {
		last = m
		role, _ := m.Get("role")
		own, _ := m.Get("id")
		if hasID && !regenerate && role.Text() == "assistant" && own.Type() == strictjson.String && own.Text() == id.Text() {
			return m, nil
		}
	}
	return last, nil
}

// parseText returns the text of a user's message.
func parseText(parts strictjson.Value) (string, error) {
	var texts []string
	for part := range parts.Items() {
		kind, _ := part.Get("type")
		text, ok := part.Get("text")
		switch {
		case kind.Text() == "file":
			return "", frontend.NewInvalid("Files are not accepted here. Upload the file first.")
		case kind.Text() != "text":
			return "", frontend.NewInvalid("A message must consist of text, not of a part of the type %.40q.", kind.Text())
		case !ok || text.Type() != strictjson.String:
			return "", frontend.NewInvalid(`A text part must have the member "text".`)
		}
		texts = append(texts, text.Text())
	}
	text := strings.Join(texts, "\n")
	if strings.TrimSpace(text) == "" {
		return "", frontend.NewInvalid("The message is empty.")
	}
	return text, nil
}

// parseDecisions returns the answered approvals in a message of the assistant. It reads nothing else of it.
func parseDecisions(parts strictjson.Value) ([]agent.Decision, error) {
	var ds []agent.Decision
	seen := map[string]bool{}
	for part := range parts.Items() {
		kind, _ := part.Get("type")
		state, _ := part.Get("state")
		isTool := kind.Text() == "dynamic-tool" || strings.HasPrefix(kind.Text(), "tool-")
		if !isTool || state.Text() != "approval-responded" {
			continue
		}
		approval, _ := part.Get("approval")
		d, err := parseDecision(approval)
		switch {
		case err != nil:
			return nil, err
		case seen[d.Approval] || len(ds) == maxDecisions:
			return nil, frontend.NewInvalid("There must be at most one answer to each approval, and %d in all.", maxDecisions)
		}
		seen[d.Approval] = true
		ds = append(ds, d)
	}
	if len(ds) == 0 {
		const message = "The last message must be the user's or answer an approval. Results of calls are not read."
		return nil, frontend.NewInvalid(message)
	}
	return ds, nil
}

func parseDecision(approval strictjson.Value) (d agent.Decision, err error) {
	if d.Approval, err = frontend.ParseID(approval, "id"); err != nil {
		return d, err
	}
	approved, ok := approval.Get("approved")
	if !ok || approved.Type() != strictjson.Boolean {
		return d, frontend.NewInvalid(`The answer to an approval must have the member "approved".`)
	}
	d.Approved = string(approved.Raw()) == "true"
	if reason, ok := approval.Get("reason"); ok && reason.Type() != strictjson.Null {
		if reason.Type() != strictjson.String {
			return d, frontend.NewInvalid("The reason of a decision must be a text.")
		}
		d.Reason = reason.Text()
	}
	return d, nil
}
