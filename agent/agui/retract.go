package agui

import (
	"slices"

	"github.com/carrel-go/carrel/agent/internal/runlog"
)

// retract takes back the messages after an event of the log, by a snapshot of all others.
func (t *teller) retract(_ string, e *runlog.Event) {
	dropped := false
	t.told = slices.DeleteFunc(t.told, func(m *message) bool {
		if m.since > e.After {
			dropped = true
			t.lose(m)
			return true
		}
		if m.retract(e.After) {
			dropped = true
			if t.open == m {
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

// lose forgets a message that was taken back.
func (t *teller) lose(m *message) {
	if t.open == m {
		t.closeMessage()
	}
	if m.role == roleReasoning && t.lost == "" {
		t.lost = m.id
	}
}

// lastOfStep returns the assistant's last message of the step, or nil.
func (t *teller) lastOfStep() *message {
	for _, m := range slices.Backward(t.told) {
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
// and those that the run has told. A client drops the messages that a snapshot does not have.
func (t *teller) sendSnapshot() {
	all := newTranscript()
	hasReasoning := false
	for i := range t.q.messages {
		m := &t.q.messages[i]
		switch {
		case m.role == roleActivity: // of the client alone
		case !t.isOwn(m):
			hasReasoning = hasReasoning || m.role == roleReasoning
			all.add(m.role, m.raw, m.calls...)
		case m.role == roleReasoning && t.lost == "":
			t.lost = m.id
		}
	}
	for _, m := range t.told {
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
	if t.lost != "" && !hasReasoning { // otherwise a client keeps all of its reasoning
		all.add(roleReasoning, reasoningMessage{ID: t.lost, Role: roleReasoning})
	}
	t.send(snapshot{typeSnapshot, all.arrange()})
}
