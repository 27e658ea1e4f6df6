package agui

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/httpapi"
	"github.com/carrel-go/carrel/sse/replay"
)

// script makes a log as runs do, from choices.
type script struct {
	choices []byte
	events  []string
	saved   int // events at the last checkpoint
	step    int
	calls   int
}

func (s *script) next(n int) int {
	if len(s.choices) == 0 {
		return 0
	}
	c := int(s.choices[0])
	s.choices = s.choices[1:]
	return c % n
}

func (s *script) add(format string, args ...any) {
	s.events = append(s.events, fmt.Sprintf(format, args...))
}

// speak adds the text and the reasoning of an answer. It reports whether the process has died meanwhile.
func (s *script) speak() (died bool) {
	for range s.next(6) {
		switch s.next(8) {
		case 0, 1, 2:
			s.add(`{"type":"text_delta","delta":"t%d."}`, len(s.events))
		case 3, 4:
			s.add(`{"type":"reasoning_delta","delta":"r%d."}`, len(s.events))
		case 5:
			s.add(`{"type":"usage","input_tokens":1,"output_tokens":%d,"model":"m"}`, len(s.events))
		case 6:
			s.add(`{"type":"custom","name":"n","value":%d}`, len(s.events))
		case 7:
			return true
		}
	}
	return false
}

// call adds the calls of an answer, beginning with the first of the step. It reports whether the process has died
// meanwhile, and whether calls wait.
func (s *script) call(first, n int) (died, waits bool) {
	for i := range n {
		s.add(`{"type":"tool_call","id":"c%d","name":"f","input":{"n":%d}}`, first+i, i)
	}
	for i := range n {
		switch s.next(6) {
		case 5:
			return true, false
		case 1:
			waits = true
			s.add(`{"type":"approval_requested","id":"c%d","tool":"f","input":{},"approval_id":"a%d"}`, first+i, first+i)
		default:
			s.add(`{"type":"tool_result","id":"c%d","name":"f","summary":"s","output":[{"text":"o%d."}],"is_error":false,"duration_ms":1}`, first+i, i)
		}
	}
	return false, waits
}

// die adds what another process writes first.
func (s *script) die() {
	after := ""
	if s.saved > 0 {
		after = fmt.Sprintf("%012d.0000", s.saved)
	}
	s.add(`{"type":"retract","after":"%s"}`, after)
	if s.saved == 0 {
		s.add(`{"type":"run_started","run":"s.1"}`)
	}
}

// write writes a run of some steps.
func (s *script) write() []replay.Event {
	s.add(`{"type":"run_started","run":"s.1"}`)
	for range 1 + s.next(4) {
		for {
			s.add(`{"type":"step_started","step":%d}`, s.step+1)
			if !s.speak() {
				break
			}
			s.die()
		}
		s.step++
		if n := s.next(4); n > 0 {
			s.saved = len(s.events)
			died, waits := s.call(s.calls, n)
			for died {
				s.die()
				died, waits = s.call(s.calls, n)
			}
			if s.calls += n; waits {
				s.add(`{"type":"finished","outcome":"pending"}`)
				return newLog(s.events...)
			}
		}
		s.add(`{"type":"step_finished","step":%d}`, s.step)
		s.saved = len(s.events)
	}
	s.add(`{"type":"finished","outcome":"%s"}`, []string{"complete", "stopped", "limit"}[s.next(3)])
	return newLog(s.events...)
}

// Every run gives a stream that clients accept, live, late, and after the stream was lost at any place, and all of them
// see the same.
func FuzzTelling(f *testing.F) {
	f.Add([]byte("a run with calls, and a death or two"))
	f.Add([]byte{3, 5, 0, 3, 0, 7, 2, 0, 0, 0, 3, 0, 2, 2, 2, 0, 4, 1, 7, 3, 2, 2, 0, 0})
	f.Add([]byte{2, 4, 3, 3, 7, 4, 0, 0, 7, 3, 0, 3, 0, 2, 1, 0, 0, 2, 2, 1})
	f.Fuzz(func(t *testing.T, choices []byte) {
		log := (&script{choices: choices[:min(len(choices), 60)]}).write()
		q := parse(t, asked)
		frames := tell(t, q, log)
		live, late := follow(t, q, frames), follow(t, q, catchUp(t, q, log))
		again := *q
		again.messages = follow(t, q, frames[:len(frames)/2]).encode(t)
		rejoined := follow(t, &again, catchUp(t, &again, log))
		for _, c := range []*client{live, rejoined} {
			require.Equal(t, late.end, c.end)
			for _, role := range []string{roleUser, roleAssistant, roleReasoning, roleTool} {
				require.Equal(t, late.text(role), c.text(role), role)
			}
			require.Equal(t, late.callsShown(), c.callsShown())
		}
	})
}

// A body is rejected, or it says what to start or to answer within the limits.
func FuzzParseRequest(f *testing.F) {
	f.Add([]byte(asked))
	for _, s := range stories {
		f.Add([]byte(s.body))
	}
	f.Add([]byte(`{"threadId":"t","runId":"r","messages":[{"id":"m","role":"user","content":[{"type":"text","text":"a"}]}],"resume":[{"interruptId":"i","status":"cancelled"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		q, err := parseRequest(body)
		if err != nil {
			_, ok := errors.AsType[*httpapi.Problem](err)
			require.True(t, ok)
			return
		}
		require.NotEqual(t, q.text == "", len(q.answers) == 0)
		require.LessOrEqual(t, len(q.answers), maxAnswers)
		_, err = q.dialect().New()(newLog(`{"type":"run_started","run":"s.1","continues":"s.0"}`)[0])
		require.NoError(t, err)
	})
}
