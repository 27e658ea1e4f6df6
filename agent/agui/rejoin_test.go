package agui

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// follow returns a client that has taken all frames.
func follow(t testing.TB, q *request, frames []string) *client {
	t.Helper()
	c := newClient(q)
	for _, f := range frames {
		require.NoError(t, c.take(f), "%s\nof\n%s", f, strings.Join(frames, "\n"))
	}
	return c
}

// A client that follows a run live ends with the same messages as one that comes later.
func TestALiveClientEndsWithTheSameMessages(t *testing.T) {
	t.Parallel()
	for _, s := range stories {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			q := parse(t, s.body)
			live, late := follow(t, q, tell(t, q, newLog(s.log...))), follow(t, q, catchUp(t, q, newLog(s.log...)))
			require.Equal(t, late.end, live.end)
			for _, role := range []string{roleAssistant, roleReasoning, roleTool} {
				require.Equal(t, late.text(role), live.text(role), role)
			}
			require.Equal(t, late.callsShown(), live.callsShown())
			// and so does a client that lost the stream at any place and asks again
			frames := tell(t, q, newLog(s.log...))
			for cut := range frames {
				again := *q
				again.messages = follow(t, q, frames[:cut]).encode(t)
				c := follow(t, &again, catchUp(t, &again, newLog(s.log...)))
				for _, role := range []string{roleUser, roleAssistant, roleReasoning, roleTool} {
					require.Equal(t, late.text(role), c.text(role), "%s after %d frames", role, cut)
				}
				require.Equal(t, late.callsShown(), c.callsShown())
			}
		})
	}
}

// encode returns the messages that the client sends with its next request.
func (c *client) encode(t testing.TB) (all []clientMessage) {
	t.Helper()
	for _, s := range c.messages {
		m := map[string]any{"id": s.id, "role": s.role, "content": s.text}
		w := clientMessage{id: s.id, role: s.role}
		var calls []any
		for _, call := range s.calls {
			parts := strings.SplitN(call, " ", 3)
			w.calls = append(w.calls, parts[0])
			function := map[string]string{"name": parts[1], "arguments": parts[2]}
			calls = append(calls, map[string]any{"id": parts[0], "type": "function", "function": function})
		}
		if calls != nil {
			m["toolCalls"] = calls
		}
		raw, err := json.Marshal(m)
		require.NoError(t, err)
		w.raw = raw
		all = append(all, w)
	}
	return all
}
