package agui

import (
	"strings"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/internal/frontend"
	"github.com/carrel-go/carrel/internal/strictjson"
	"github.com/carrel-go/carrel/sse"
	"github.com/carrel-go/carrel/sse/replay"
)

const (
	maxAnswers = 64
	maxReason  = 1000 // bytes, as in package approval
)

type request struct {
	// thread and run are the client's ids of the conversation and of the run. run is the idempotency key: the same
	// request with the same id gets the same run.
	thread, run string
	text        string // the last message of the user; empty if the client answers interrupts
	// answers are those to the interrupts of the thread's last run. An interrupt that the user has cancelled is not
	// approved.
	answers   []agent.Decision
	cancelled int // of the answers
	// lostRun is the run of the last message, if that is not the user's: the client has lost the stream and asks for it
	// again. Otherwise it is empty.
	lostRun  string
	messages []clientMessage
}

// parseRequest reads the body of a request:
//
//	{"threadId":"…","runId":"…","messages":[…],"resume":[…]}
//
// It takes the text of the last message of the user, or the answers in resume. From all other messages it takes nothing
// for the run: they are the client's own transcript, which goes back to that client in snapshots. The other members of
// the body are ignored: the agent gets neither the client's tools, state, context and properties nor its view of the
// history.
//
// The error is an *httpapi.Problem.
func parseRequest(body []byte) (*request, error) {
	doc, err := strictjson.ParseObject(body)
	if err != nil {
		return nil, frontend.NewInvalid("The body is %v.", err)
	}
	q := new(request)
	if q.thread, err = frontend.ParseID(doc, "threadId"); err != nil {
		return nil, err
	}
	if q.run, err = frontend.ParseID(doc, "runId"); err != nil {
		return nil, err
	}
	last, err := q.parseMessages(doc)
	if err != nil {
		return nil, err
	}
	if resume, ok := doc.Get("resume"); ok && (resume.Type() != strictjson.Array || resume.Len() > 0) {
		return q, q.parseAnswers(resume)
	}
	return q, q.parseText(last)
}

// getText returns the member of that name if it is a string, otherwise "".
func getText(v strictjson.Value, name string) string {
	if member, ok := v.Get(name); ok {
		return member.Text()
	}
	return ""
}

// parseMessages reads the client's transcript and returns the last message of the user.
func (q *request) parseMessages(doc strictjson.Value) (last strictjson.Value, _ error) {
	list, ok := doc.Get("messages")
	if !ok || list.Type() != strictjson.Array {
		return last, frontend.NewInvalid("The member messages must be an array.")
	}
	end := -1
	for m := range list.Items() {
		c := clientMessage{id: getText(m, "id"), role: getText(m, "role"), raw: m.Raw()}
		if c.id == "" || c.role == "" {
			return last, frontend.NewInvalid("Each message must have an id and a role.")
		}
		if c.role == roleUser {
			last, end = m, len(q.messages)
		}
		if calls, ok := m.Get("toolCalls"); ok {
			for call := range calls.Items() {
				c.calls = append(c.calls, getText(call, "id"))
			}
		}
		q.messages = append(q.messages, c)
	}
	if n := len(q.messages) - 1; end >= 0 && end < n {
		q.lostRun = parseMessageRun(q.messages[n].id)
	}
	return last, nil
}

// parseText reads the last message of the user.
func (q *request) parseText(m strictjson.Value) error {
	if m == (strictjson.Value{}) {
		return frontend.NewInvalid("There must be a message of the user.")
	}
	if last := q.messages[len(q.messages)-1]; last.role != roleUser && q.lostRun == "" {
		return frontend.NewInvalid("The last message must be of the user.")
	}
	content, _ := m.Get("content")
	switch {
	case content == (strictjson.Value{}):
	case content.Type() == strictjson.Array:
		var texts []string
		for p := range content.Items() {
			if kind := getText(p, "type"); kind != "text" {
				return frontend.NewInvalid("Content of the type %.40q is not accepted: it must be text.", kind)
			}
			texts = append(texts, getText(p, "text"))
		}
		q.text = strings.Join(texts, "\n")
	default:
		q.text = content.Text()
	}
	if strings.TrimSpace(q.text) == "" {
		return frontend.NewInvalid("The message of the user must have a text.")
	}
	return nil
}

// cancelReason is the reason of a decision on an interrupt that the user has cancelled. The model reads it.
const cancelReason = "The user has cancelled the request."

// parseAnswers reads the answers to interrupts.
func (q *request) parseAnswers(resume strictjson.Value) error {
	if n := resume.Len(); resume.Type() != strictjson.Array || n > maxAnswers {
		return frontend.NewInvalid("The member resume must be an array of at most %d answers.", maxAnswers)
	}
	isAnswered := map[string]bool{}
	for entry := range resume.Items() {
		d := agent.Decision{Approval: getText(entry, "interruptId")}
		if d.Approval == "" || isAnswered[d.Approval] {
			return frontend.NewInvalid("Each answer in resume must have the interruptId of another interrupt.")
		}
		isAnswered[d.Approval] = true
		switch status := getText(entry, "status"); status {
		case "cancelled":
			d.Reason = cancelReason
			q.cancelled++
		case "resolved":
			payload, _ := entry.Get("payload")
			if err := parsePayload(payload, &d); err != nil {
				return err
			}
		default:
			return frontend.NewInvalid("Invalid status %.40q of an answer: it must be resolved or cancelled.", status)
		}
		q.answers = append(q.answers, d)
	}
	return nil
}

// parsePayload reads the payload that answerSchema describes.
func parsePayload(payload strictjson.Value, d *agent.Decision) error {
	approved, hasApproved := strictjson.Value{}, false
	if payload != (strictjson.Value{}) {
		approved, hasApproved = payload.Get("approved")
	}
	if !hasApproved || approved.Type() != strictjson.Boolean {
		return frontend.NewInvalid(`The payload of an answer must be {"approved":true} or {"approved":false}.`)
	}
	d.Approved = string(approved.Raw()) == "true"
	for name, value := range payload.Members() {
		switch {
		case name == "approved":
		case name == "reason" && value.Type() == strictjson.String && len(value.Text()) <= maxReason:
			d.Reason = value.Text()
		default:
			return frontend.NewInvalid("The payload of an answer has the invalid member %.40q.", name)
		}
	}
	return nil
}

// dialect returns the dialect in which a run's log answers the request.
func (q *request) dialect() replay.Dialect {
	return replay.Dialect{FromStart: true, New: func() func(replay.Event) ([]sse.Event, error) {
		return newTranslator(q).translate
	}}
}

func (q *request) hasMessage(isKind func(*clientMessage) bool) bool {
	for i := range q.messages {
		if isKind(&q.messages[i]) {
			return true
		}
	}
	return false
}

// parseMessageRun returns the run that has begun the message with the id, or "" if no run has, see
// translator.messageID.
func parseMessageRun(id string) string {
	parts := strings.Split(id, ".")
	if len(parts) != 4 {
		return ""
	}
	return parts[0] + "." + parts[1]
}
