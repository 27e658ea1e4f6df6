package bedrock_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/bedrock"
	bt "github.com/carrel-go/carrel/agent/bedrock/bedrocktest"
	"github.com/carrel-go/carrel/agent/bedrock/internal/memnet"
)

// turn is the expected content of an answer.
type turn struct {
	text     string
	uses     map[string]string // by id: name and input
	thoughts map[string]string // by signature: text
	stop     agent.StopReason
}

// newScript returns a random answer and its content. The answer is cut into fragments at any byte, its blocks are
// sequential or interleaved, and unknown events come between them.
func newScript(r *rand.Rand) ([]bt.Piece, turn) {
	want := turn{uses: map[string]string{}, thoughts: map[string]string{}}
	words := []string{"a", " ", "über", "📚", "\n\n", `"\u00e9"`, "€", "\x00", `\`, strings.Repeat("long ", 4)}
	prose := func() string {
		var b strings.Builder
		for range r.IntN(6) {
			b.WriteString(words[r.IntN(len(words))])
		}
		return b.String()
	}
	cut := func(s string) []string {
		if r.IntN(2) == 0 {
			return chunks(s, 1) // in the middle of every rune
		}
		var parts []string
		from := 0
		for i := range s {
			if r.IntN(4) == 0 {
				parts = append(parts, s[from:i])
				from = i
			}
		}
		return append(parts, s[from:])
	}
	block := func(kind int) bt.Piece {
		id := fmt.Sprint("id-", len(want.uses), "-", len(want.thoughts))
		switch kind {
		case 0:
			s := prose()
			want.text += s
			return bt.Text(cut(s)...)
		case 1:
			s := prose()
			want.thoughts[id] = s
			return bt.Reasoning(id, cut(s)...)
		}
		input, err := json.Marshal(map[string]any{"word": prose(), "n": r.IntN(1000)})
		if err != nil {
			panic(err)
		}
		want.uses[id] = "tool" + string(input)
		return bt.ToolUse(id, "tool", cut(string(input))...)
	}
	var pieces []bt.Piece
	for range r.IntN(6) {
		switch r.IntN(8) {
		case 0:
			pieces = append(pieces, bt.Event("weather", `{"sun":true}`), bt.Event("contentBlockStart", `{"contentBlockIndex":99,"start":{"hologram":{}}}`),
				bt.Event("contentBlockStop", `{"contentBlockIndex":99}`))
			return append(pieces, bt.Usage(agent.Usage{Input: 1, Output: 2})), want.withStop()
		case 1, 2:
			side := []bt.Piece{block(2), block(1), block(2), block(0)}
			r.Shuffle(len(side), func(i, j int) { side[i], side[j] = side[j], side[i] })
			pieces = append(pieces, bt.Interleave(side...))
		default:
			pieces = append(pieces, block(r.IntN(3)))
		}
	}
	return append(pieces, bt.Usage(agent.Usage{Input: 1, Output: 2})), want.withStop()
}

func (t turn) withStop() turn {
	t.stop = agent.StopEndTurn
	if len(t.uses) > 0 {
		t.stop = agent.StopToolUse
	}
	return t
}

// fate is how the bytes of a stream arrive, and how they end.
type fate struct {
	bytes             []byte
	end               func(r *http.Request) // after the bytes; nil: in good order
	leaveAt, cancelAt int                   // the yield at which the consumer goes; -1: it stays
}

func newFate(r *rand.Rand, whole []byte) fate {
	f := fate{bytes: whole, leaveAt: -1, cancelAt: -1}
	at := r.IntN(len(whole) + 1)
	switch r.IntN(8) {
	case 0: // nothing happens
	case 1:
		f.bytes, f.end = whole[:at], func(*http.Request) { panic(http.ErrAbortHandler) }
	case 2:
		f.bytes, f.end = whole[:at], func(r *http.Request) { <-r.Context().Done() }
	case 3:
		whole[min(at, len(whole)-1)] ^= byte(1 + r.IntN(255))
	case 4:
		f.leaveAt = r.IntN(12)
	case 5:
		f.cancelAt = r.IntN(12)
	default:
		f.bytes = whole[:at]
	}
	return f
}

// TestRandomStreams plays thousands of made-up streams, most of them cut, corrupted, stalled or left at a random byte.
// A stream yields the whole turn or a typed error, never an incomplete call or block of reasoning, and leaves no
// goroutine behind.
func TestRandomStreams(t *testing.T) {
	t.Parallel()
	ends := map[string]int{}
	synctest.Test(t, func(t *testing.T) {
		var next atomic.Pointer[fate] // a handler may outlive the stream that it served
		client, stop := memnet.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			now := next.Load()
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
			w.WriteHeader(http.StatusOK)
			_, _ = w.Write(now.bytes)
			_ = http.NewResponseController(w).Flush()
			if now.end != nil {
				now.end(r)
			}
		}))
		m := newModel(client, &bedrock.Options{IdleTimeout: time.Second})
		for seed := range uint64(2000) {
			r := rand.New(rand.NewPCG(seed, 11))
			pieces, want := newScript(r)
			now := newFate(r, record(t, bt.Reply(pieces...)))
			next.Store(&now)
			ends[playStream(t, m, now, want, seed)]++
			if seed%50 == 0 {
				require.Zero(t, sdkGoroutines(t), "seed %d", seed)
			}
		}
		require.Zero(t, sdkGoroutines(t))
		stop()
	})
	for _, want := range []string{
		"whole", "left", "cancelled", string(agent.CodeTruncated), string(agent.CodeUnavailable), string(agent.CodeTimeout),
	} {
		require.NotZero(t, ends[want], "%s never happened: %v", want, ends)
	}
}

// playStream plays one stream and checks its deltas.
func playStream(t *testing.T, m *bedrock.Model, f fate, want turn, seed uint64) string {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	got := turn{uses: map[string]string{}, thoughts: map[string]string{}}
	pending := map[string]string{} // the input in deltas, by call
	thought, n := "", 0
	var failed error
	for d, err := range m.Stream(ctx, ask("?")) {
		require.NoError(t, failed, "seed %d: a yield after the error", seed)
		failed = err
		switch d := d.(type) {
		case agent.TextDelta:
			require.True(t, utf8.ValidString(d.Text), "seed %d", seed)
			got.text += d.Text
		case agent.ReasoningDelta:
			thought += d.Text
		case agent.ReasoningPart:
			require.Contains(t, want.thoughts, d.Signature, "seed %d", seed)
			require.Equal(t, want.thoughts[d.Signature], d.Text, "seed %d: a part of reasoning", seed)
			got.thoughts[d.Signature] = d.Text
		case agent.UseDelta:
			require.True(t, utf8.ValidString(d.Input), "seed %d", seed)
			pending[d.ID] += d.Input
			require.True(t, strings.HasPrefix(want.uses[d.ID], d.Name+pending[d.ID]), "seed %d", seed)
		case agent.UsePart:
			require.Equal(t, want.uses[d.ID], d.Name+string(d.Input), "seed %d: a part of a call", seed)
			require.Equal(t, pending[d.ID], string(d.Input), "seed %d", seed)
			got.uses[d.ID] = d.Name + string(d.Input)
		case agent.StopPart:
			require.Empty(t, got.stop, "seed %d: two ends", seed)
			got.stop = d.Reason
		}
		require.True(t, strings.HasPrefix(want.text, got.text), "seed %d", seed)
		if n == f.leaveAt {
			return "left"
		}
		if n == f.cancelAt {
			cancel()
		}
		n++
	}
	if got.stop != "" || failed == nil {
		require.Equal(t, want, got, "seed %d: an answer that is not whole", seed)
	}
	if failed == nil {
		return "whole"
	}
	if errors.Is(failed, context.Canceled) {
		return "cancelled"
	}
	code := modelError(t, failed).Code
	require.Contains(t, []agent.Code{agent.CodeTruncated, agent.CodeUnavailable, agent.CodeTimeout, agent.CodeMalformed}, code, "seed %d: %v", seed, failed)
	return string(code)
}
