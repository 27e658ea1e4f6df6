package aisdk

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/sse/replay"
)

// writer writes the log of a run as package runner does: it is killed at random moments, and another process retracts
// what came after the last checkpoint and continues from there.
type writer struct {
	*rand.Rand
	lines   []string
	saved   int // number of lines at the last checkpoint
	kills   int
	created int // calls
}

func (w *writer) add(format string, args ...any) {
	w.lines = append(w.lines, fmt.Sprintf(format, args...))
}

// attempt writes what f writes, possibly after attempts that are killed.
func (w *writer) attempt(f func()) {
	for w.kills > 0 && w.IntN(2) == 0 {
		w.kills--
		from := len(w.lines)
		f()
		w.lines = w.lines[:from+w.IntN(len(w.lines)-from+1)]
		w.add(`%s`, retract(w.saved-1))
		if w.saved == 0 {
			w.add(started)
			w.add(said)
		}
	}
	f()
}

func (w *writer) answer(step int) {
	w.add(`{"type":"step_started","step":%d}`, step)
	for range w.IntN(4) {
		switch w.IntN(5) {
		case 0:
			w.add(`%s`, thought(fmt.Sprint("thought ", w.IntN(99), ". ")))
		case 1:
			w.add(`{"type":"citation","source":"s","title":"t%d"}`, w.IntN(9))
		case 2:
			w.add(`{"type":"partial","value":{"n":%d}}`, w.IntN(99))
		default:
			w.add(`%s`, delta(fmt.Sprint("word", w.IntN(99), " ")))
		}
	}
	w.add(used)
}

func (w *writer) makeCalls(step, first, count int) {
	for i := range count {
		if w.IntN(3) == 0 {
			w.add(`{"type":"tool_progress","id":"c%d","value":%d}`, first+i, w.IntN(9))
		}
		w.add(`{"type":"tool_result","id":"c%d","name":"f","summary":"s","output":[{"json":%d}],"is_error":%v}`,
			first+i, w.IntN(99), w.IntN(4) == 0)
		if w.IntN(3) == 0 {
			w.add(`{"type":"custom","name":"note","value":%d}`, w.IntN(99))
		}
	}
	w.add(`{"type":"step_finished","step":%d}`, step)
}

// runs returns the logs of a run and of one that continues it.
func runs(r *rand.Rand) [][]replay.Event {
	w := &writer{Rand: r, kills: r.IntN(6), lines: []string{started, said}}
	step := 0
	turn := func() (first, count int) {
		step++
		first, count = w.created, w.IntN(3)
		w.attempt(func() {
			w.answer(step)
			for i := range count {
				w.add(`{"type":"tool_call","id":"c%d","name":"f","input":{"n":%d}}`, first+i, w.IntN(99))
			}
		})
		w.created += count
		w.saved = len(w.lines)
		return first, count
	}
	for range r.IntN(3) {
		first, count := turn()
		w.attempt(func() { w.makeCalls(step, first, count) })
		w.saved = len(w.lines)
	}
	first, count := turn()
	if count == 0 {
		w.add(`{"type":"step_finished","step":%d}`, step)
		w.add(`{"type":"finished","outcome":"complete"}`)
		return [][]replay.Event{logOf(w.lines...)}
	}
	for i := range count {
		w.add(`{"type":"approval_requested","id":"c%d","tool":"f","input":{},"approval_id":"a%d"}`, first+i, first+i)
	}
	w.add(pending)
	before := logOf(w.lines...)
	w.lines, w.saved = nil, 0
	begin := func() {
		w.add(`{"type":"run_started","run":"s.2","continues":"s.1"}`)
		for i := range count {
			w.add(`{"type":"approval_decided","approval_id":"a%d","approved":%v}`, first+i, (first+i)%3 > 0)
		}
		w.makeCalls(step, first, count)
	}
	for w.kills > 0 && w.IntN(2) == 0 { // before the first checkpoint of this run
		w.kills--
		from := len(w.lines)
		begin()
		w.lines = append(w.lines[:from+w.IntN(len(w.lines)-from+1)], retract(-1))
	}
	begin()
	w.saved = len(w.lines)
	step++
	w.attempt(func() { w.answer(step) })
	w.add(`{"type":"step_finished","step":%d}`, step)
	w.add(whole)
	return [][]replay.Event{before, logOf(w.lines...)}
}

// However often its process is killed, and whenever a client connects, it sees the same message.
func TestEveryClientSeesTheSameMessage(t *testing.T) {
	t.Parallel()
	for seed := range uint64(150) {
		logs := runs(rand.New(rand.NewPCG(seed, 1)))
		replayed, err := play(t, 0, 1<<20, logs...)
		require.NoError(t, err)
		want := newClient()
		want.receive(t, replayed)
		require.True(t, want.done)
		for n := range logs[len(logs)-1] {
			frames, err := play(t, 0, n, logs...)
			require.NoError(t, err, "seed %d", seed)
			c := newClient()
			c.receive(t, frames)
			require.Equal(t, want.message(), c.message(), "seed %d, connected after %d events of\n%s", seed, n, show(logs))
		}
		if len(logs) == 1 {
			continue
		}
		c := newClient() // a client that answers the approvals itself
		known, err := play(t, 0, 0, logs[0])
		require.NoError(t, err)
		c.receive(t, known)
		c.continues()
		frames, err := play(t, 1, 0, logs...)
		require.NoError(t, err)
		c.receive(t, frames)
		require.Equal(t, want.message(), c.message(), "seed %d, continued: \n%s", seed, show(logs))
	}
}

func show(logs [][]replay.Event) (s string) {
	for _, log := range logs {
		for _, e := range log {
			s += e.ID + " " + string(e.Data) + "\n"
		}
	}
	return s
}

// The client accepts the frames of any log, up to an error.
func FuzzTranslate(f *testing.F) {
	for seed := range uint64(20) {
		for _, log := range runs(rand.New(rand.NewPCG(seed, 2))) {
			var lines []byte
			for _, e := range log {
				lines = append(append(lines, e.Data...), '\n')
			}
			f.Add(lines)
		}
	}
	f.Fuzz(func(t *testing.T, lines []byte) {
		var log []replay.Event
		for i, line := range splitLines(lines) {
			if !json.Valid(line) {
				return
			}
			log = append(log, replay.Event{ID: eventID(i), Data: line})
		}
		translator, c := newTranslator(), newClient()
		translator.beginRun(runPlace{isLast: true})
		for _, e := range log {
			frames, err := translator.translate(e)
			if err != nil || c.done {
				return
			}
			c.receive(t, frames)
		}
	})
}

func splitLines(b []byte) (lines [][]byte) {
	start := 0
	for i, c := range b {
		if c == '\n' {
			lines = append(lines, b[start:i])
			start = i + 1
		}
	}
	return append(lines, b[start:])
}
