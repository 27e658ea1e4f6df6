package agui

import (
	"slices"

	"github.com/carrel-go/carrel/agent/internal/runlog"
)

// retractEvents takes back the messages after an event of the log, by a snapshot of all others.
func (t *translator) retractEvents(_ string, e *runlog.Event) {
	dropped := false
	t.messages = slices.DeleteFunc(t.messages, func(m *message) bool {
		if m.since > e.After {
			dropped = true
			t.forgetMessage(m)
			return true
		}
		if m.retract(e.After) {
			dropped = true
			if t.openMessage == m {
				t.closeMessage()
			}
		}
		return false
	})
	t.steps = slices.DeleteFunc(t.steps, func(s stepMark) bool { return s.event > e.After })
	t.holder = t.lastOfStep()
	t.waits = slices.DeleteFunc(t.waits, func(w waiting) bool { return w.event > e.After })
	t.spent = slices.DeleteFunc(t.spent, func(s spending) bool { return s.event > e.After })
	if dropped {
		t.sendSnapshot()
	}
}

// forgetMessage forgets a message that was taken back.
func (t *translator) forgetMessage(m *message) {
	if t.openMessage == m {
		t.closeMessage()
	}
	if m.role == roleReasoning && t.lostReasoning == "" {
		t.lostReasoning = m.id
	}
}

// lastOfStep returns the assistant's last message of the step, or nil.
func (t *translator) lastOfStep() *message {
	for _, m := range slices.Backward(t.messages) {
		switch {
		case m.step != t.step() || m.step == 0:
			return nil
		case m.role == roleAssistant:
			return m
		}
	}
	return nil
}

// sendSnapshot sends all messages of the conversation: those that the client has sent, without the ones of this run,
// and those of the run. A client drops the messages that a snapshot does not have.
func (t *translator) sendSnapshot() {
	all := newTranscript()
	hasReasoning := false
	for i := range t.q.messages {
		m := &t.q.messages[i]
		switch {
		case m.role == roleActivity: // of the client alone
		case !t.isOwn(m):
			hasReasoning = hasReasoning || m.role == roleReasoning
			all.add(m.role, m.raw, m.calls...)
		case m.role == roleReasoning && t.lostReasoning == "":
			t.lostReasoning = m.id
		}
	}
	for _, m := range t.messages {
		hasReasoning = hasReasoning || m.role == roleReasoning
		if m.role == roleTool {
			all.addResult(m.answers, m.encode())
			continue
		}
		ids := make([]string, len(m.calls))
		for i, c := range m.calls {
			ids[i] = c.id
		}
		all.add(m.role, m.encode(), ids...)
	}
	if t.lostReasoning != "" && !hasReasoning { // otherwise a client keeps all of its reasoning
		all.add(roleReasoning, reasoningMessage{ID: t.lostReasoning, Role: roleReasoning})
	}
	t.sendEvent(snapshot{typeSnapshot, all.arrange()})
}
