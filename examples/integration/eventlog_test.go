package integration_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/sse/replay"
)

// openLogs opens the logs of a process over its transport.
func openLogs(t *testing.T, f *faultyTransport, name string, retries bool) *replay.Store {
	t.Helper()
	logs, err := replay.New(f.openTable(t, name, retries), &replay.Options{Commit: 20 * time.Millisecond})
	require.NoError(t, err)
	return logs
}

func newLogEvent(by string, n int) json.RawMessage {
	return fmt.Appendf(nil, `{"type":"text_delta","by":%q,"n":%d}`, by, n)
}

// writeLog lets two Writers on two clients write a log. The second one takes over in the middle, and the first one does
// not notice that. It returns the ids that Flush has acknowledged, and how many events of the first Writer it has.
func writeLog(ctx context.Context, t *testing.T, session scope.Scope, first, second *replay.Store, rnd *rand.Rand) (acknowledged []string, kept int) {
	t.Helper()
	appendEvents := func(w *replay.Writer, by string, events int) {
		for n := range events {
			require.NoError(t, w.Append(ctx, newLogEvent(by, n+1), rnd.IntN(3) == 0))
			time.Sleep(time.Duration(rnd.IntN(20)) * time.Millisecond)
		}
	}
	a, err := first.Open(ctx, session, "1", newLogEvent("a", 0))
	require.NoError(t, err)
	defer a.Abandon()
	kept = rnd.IntN(30)
	appendEvents(a, "a", kept)
	id, err := a.Flush(ctx)
	require.NoError(t, err)
	acknowledged = append(acknowledged, id)

	opened := make(chan *replay.Writer)
	go func() {
		defer close(opened)
		b, err := second.Open(ctx, session, "1", newLogEvent("b", 0))
		if assert.NoError(t, err) {
			opened <- b
		}
	}()
	for n := kept + 1; ; n++ { // races with the second Writer
		select {
		case b := <-opened:
			require.NotNil(t, b)
			defer b.Abandon()
			_ = a.Append(ctx, newLogEvent("z", 0), true)
			appendEvents(b, "b", 30)
			id, err := b.Flush(ctx)
			require.NoError(t, err)
			_, err = a.Flush(ctx)
			require.ErrorIs(t, err, replay.ErrFenced)
			require.NoError(t, b.Finish(ctx, json.RawMessage(`{"type":"finished"}`)))
			return append(acknowledged, id), kept
		case <-time.After(30 * time.Millisecond):
			_ = a.Append(ctx, newLogEvent("a", n), true)
		}
	}
}

// readLog reads a log to its end over connections that break.
func readLog(ctx context.Context, logs *replay.Store, session scope.Scope, rnd *rand.Rand) (seen []replay.Event) {
	after := ""
	for ctx.Err() == nil {
		left := 1 + rnd.IntN(40)
		for e, err := range logs.Events(ctx, session, "1", after) {
			if err != nil {
				break
			}
			if seen, after = append(seen, e), e.ID; e.Type() == "finished" {
				return seen
			}
			if left--; left == 0 {
				break
			}
		}
		time.Sleep(time.Duration(rnd.IntN(50)) * time.Millisecond)
	}
	return seen
}

// checkLog checks that the events of a log follow each other without a gap or a duplicate, and that a Writer that was
// replaced wrote none of them.
func checkLog(t *testing.T, log []replay.Event, kept int) {
	t.Helper()
	segment, index := 0, -1
	next := map[string]int{}
	for _, e := range log {
		var s, i int
		_, err := fmt.Sscanf(e.ID, "%012d.%04d", &s, &i)
		require.NoError(t, err)
		if s == segment {
			require.Equal(t, index+1, i, e.ID)
		} else {
			require.Equal(t, [2]int{segment + 1, 0}, [2]int{s, i}, e.ID)
		}
		segment, index = s, i
		var d struct {
			By string
			N  int
		}
		require.NoError(t, json.Unmarshal(e.Data, &d))
		if d.By == "" {
			continue
		}
		require.NotEqual(t, "z", d.By, "written after the take-over")
		require.Equal(t, next[d.By], d.N, "%s by %s", e.ID, d.By)
		next[d.By]++
		if d.By == "a" {
			require.Zero(t, next["b"], "%s: the first Writer writes after the second", e.ID)
		}
	}
	assert.GreaterOrEqual(t, next["a"], 1+kept)
	assert.Equal(t, 31, next["b"])
	assert.Equal(t, "finished", log[len(log)-1].Type())
}

// One of four requests of each client fails, most of them after they have reached the table. In every other round the
// client of the SDK repeats them by itself.
func TestLostResponsesLeaveNoGapAndNoDuplicateInALog(t *testing.T) {
	t.Parallel()
	needDynamoDB(t)
	name, remove, err := servers.NewTable(t.Context(), nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, remove(context.WithoutCancel(t.Context()))) }()
	for round := range 5 {
		seed := rand.Uint64N(1 << 32)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		session, err := userOf(t, "acme", "u1").NewSession()
		require.NoError(t, err)
		var transports [3]*faultyTransport
		var logs [3]*replay.Store
		for i := range logs {
			transports[i] = newFaultyTransport(servers.DynamoDB.Options().HTTPClient, seed+uint64(i))
			transports[i].loss = 4
			logs[i] = openLogs(t, transports[i], name, round%2 == 1)
		}
		var group sync.WaitGroup
		var seen [3][]replay.Event
		for i := range seen {
			group.Go(func() { seen[i] = readLog(ctx, logs[i], session, rand.New(rand.NewPCG(seed, uint64(i)))) })
		}
		acknowledged, kept := writeLog(ctx, t, session, logs[0], logs[1], rand.New(rand.NewPCG(seed, 9)))
		group.Wait()
		cancel()
		log := readLog(t.Context(), openLogs(t, newFaultyTransport(servers.DynamoDB.Options().HTTPClient, 0), name, true), session, rand.New(rand.NewPCG(0, 0)))
		checkLog(t, log, kept)
		for i := range seen {
			require.Equal(t, printEvents(log), printEvents(seen[i]), "reader %d, seed %d", i, seed)
		}
		for _, id := range acknowledged {
			assert.True(t, slices.ContainsFunc(log, func(e replay.Event) bool { return e.ID == id }), "acknowledged: %s", id)
		}
	}
}

// printEvents returns a line for each event.
func printEvents(events []replay.Event) (lines []string) {
	for _, e := range events {
		lines = append(lines, e.ID+" "+string(e.Data))
	}
	return lines
}
