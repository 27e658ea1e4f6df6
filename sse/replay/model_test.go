package replay_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/sse/replay"
)

// fault is a wrong variant of the protocol, which the model must catch.
type fault int

const (
	noFault       fault = iota
	emitEarly           // readers see a segment before it is stored
	unconditional       // segments are stored over others
	nextSlot            // a write whose outcome is unknown is repeated in the next slot
	segmentCursor       // clients forget the index in their cursor
)

// TestModel runs two Writers, one of which takes over from the other, and readers that drop and return, over a store
// that drops writes, loses answers and delays. Every reader sees exactly the log.
func TestModel(t *testing.T) {
	t.Parallel()
	runs := 4_000
	if testing.Short() {
		runs = 500
	}
	if os.Getenv("CARREL_SOAK") != "" {
		runs = 100_000
	}
	for seed := range uint64(runs) {
		require.NoError(t, simulate(t, seed, noFault), "seed %d", seed)
	}
}

func TestModelCatchesWrongVariants(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]fault{
		"emit before persist": emitEarly, "unconditional put": unconditional,
		"ambiguous write moves to the next slot": nextSlot, "segment-only cursor": segmentCursor,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(2_000) {
				if simulate(t, seed, f) != nil {
					return
				}
			}
			t.Fatal("no run has violated the protocol")
		})
	}
}

// world is one run of the model.
type world struct {
	fault   fault
	session scope.Scope
	memory  table.Driver
	direct  *table.View

	mu    sync.Mutex
	rnd   *rand.Rand
	early map[string]table.Row // segments on their way, for emitEarly
	group sync.WaitGroup       // delayed writes
}

func (w *world) intN(n int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rnd.IntN(n)
}

// simulate runs the model once and returns the first violation.
func simulate(t *testing.T, seed uint64, f fault) (violation error) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{fault: f, memory: table.NewMemory(nil), rnd: rand.New(rand.NewPCG(seed, 1)), early: map[string]table.Row{}}
		tenant, err := scope.Tenant("acme")
		require.NoError(t, err)
		user, err := tenant.User("u1")
		require.NoError(t, err)
		w.session, err = user.NewSession()
		require.NoError(t, err)
		w.direct, err = newTable(t, w.memory).In(w.session)
		require.NoError(t, err)
		violation = w.run(t)
		w.group.Wait()
	})
	return violation
}

func (w *world) run(t *testing.T) error {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	first, second := w.process(t), w.process(t)
	var acknowledged []string

	// The first Writer is killed, or continues as a zombie, when the second one takes over.
	a, err := first.store.Open(ctx, w.session, "1", event("a", 0))
	if err != nil {
		return err
	}
	var b *replay.Writer
	var clients sync.WaitGroup
	defer func() { // also if the run ends early, because it has violated the protocol
		cancel()
		for _, w := range []*replay.Writer{a, b} {
			if w != nil {
				w.Abandon()
			}
		}
		clients.Wait()
		time.Sleep(time.Minute)
	}()
	seen := make([][]replay.Event, 3)
	failures := make([]error, len(seen))
	for i := range seen {
		clients.Go(func() { seen[i], failures[i] = w.follow(ctx, first, second, i) })
	}
	for n := range 1 + w.intN(12) {
		if a.Append(ctx, event("a", n+1), w.intN(3) == 0) != nil {
			break
		}
		time.Sleep(time.Duration(w.intN(200)) * time.Millisecond)
	}
	if w.intN(2) == 0 {
		flush, stop := context.WithTimeout(ctx, time.Second)
		if id, err := a.Flush(flush); err == nil {
			acknowledged = append(acknowledged, id)
		}
		stop()
	}
	if w.intN(2) == 0 {
		first.kill()
	}
	if b, err = second.store.Open(ctx, w.session, "1", event("b", 0)); err != nil {
		return err
	}
	for n := range w.intN(12) {
		_ = a.Append(ctx, event("z", n), true)
		if err := b.Append(ctx, event("b", n+1), w.intN(3) == 0); err != nil {
			return fmt.Errorf("the owner: %w", err)
		}
		time.Sleep(time.Duration(w.intN(200)) * time.Millisecond)
	}
	if err := b.Finish(ctx, json.RawMessage(`{"type":"finished"}`)); err != nil {
		return fmt.Errorf("the owner: %w", err)
	}
	first.kill()
	a.Abandon()
	time.Sleep(time.Minute) // delayed writes arrive
	clients.Wait()
	return w.verify(ctx, t, acknowledged, seen, failures)
}

// verify compares what the readers have seen with the log.
func (w *world) verify(ctx context.Context, t *testing.T, acknowledged []string, seen [][]replay.Event, failures []error) error {
	var log []replay.Event
	for e, err := range newStore(t, w.memory, nil).Events(ctx, w.session, "1", "") {
		if err != nil {
			return err
		}
		log = append(log, e)
	}
	for _, id := range acknowledged {
		if !contains(log, id) {
			return fmt.Errorf("the acknowledged event %s is not in the log", id)
		}
	}
	next := map[byte]int{}
	for _, e := range log {
		var d struct{ By, N string }
		if err := json.Unmarshal(e.Data, &d); err != nil || d.By == "" {
			continue
		}
		if d.By == "z" {
			return fmt.Errorf("event %s is of a Writer that had been replaced", e.ID)
		}
		if n, err := strconv.Atoi(d.N); err != nil || n != next[d.By[0]] {
			return fmt.Errorf("event %s is %s, want number %d", e.ID, e.Data, next[d.By[0]])
		}
		next[d.By[0]]++
	}
	for i, events := range seen {
		if failures[i] != nil {
			return fmt.Errorf("reader %d: %w", i, failures[i])
		}
		if got, want := fmt.Sprint(events), fmt.Sprint(log); got != want {
			return fmt.Errorf("reader %d has seen\n%s\nthe log is\n%s", i, got, want)
		}
	}
	return nil
}

func contains(log []replay.Event, id string) bool {
	for _, e := range log {
		if e.ID == id {
			return true
		}
	}
	return false
}

func event(by string, n int) json.RawMessage {
	return fmt.Appendf(nil, `{"type":"text_delta","by":%q,"n":"%d"}`, by, n)
}

// follow reads the log to its end over connections that break: a reader of the first process until that is killed, one
// of the second, and one of either.
func (w *world) follow(ctx context.Context, first, second *process, reader int) (seen []replay.Event, _ error) {
	for after := ""; ctx.Err() == nil; {
		left, p := 1+w.intN(6), first
		if reader == 1 || first.isDead() || reader == 2 && w.intN(2) == 0 {
			p = second
		}
		for e, err := range p.store.Events(ctx, w.session, "1", after) {
			if err != nil {
				if ctx.Err() != nil {
					return seen, err
				}
				break
			}
			seen = append(seen, e)
			if after = e.ID; w.fault == segmentCursor {
				after = e.ID[:12] + ".0000"
			}
			if e.Type() == "finished" {
				return seen, nil
			}
			if left--; left == 0 {
				break
			}
		}
		time.Sleep(time.Duration(w.intN(300)) * time.Millisecond)
	}
	return seen, ctx.Err()
}

// process is a Store with its connection to the table.
type process struct {
	table.Driver
	w      *world
	store  *replay.Store
	dead   chan struct{}
	killed sync.Once
	moved  int64 // slots, for nextSlot
}

func (w *world) process(t *testing.T) *process {
	p := &process{Driver: w.memory, w: w, dead: make(chan struct{})}
	p.store = newStore(t, p, nil)
	return p
}

// kill cuts the process off from the table.
func (p *process) kill() { p.killed.Do(func() { close(p.dead) }) }

func (p *process) isDead() bool {
	select {
	case <-p.dead:
		return true
	default:
		return false
	}
}

var errLost = errors.New("connection lost")

func (p *process) Put(ctx context.Context, k table.Key, r table.Row, c table.Cond) error {
	w := p.w
	if w.fault == emitEarly {
		w.mu.Lock()
		w.early[r.Sort] = r.Clone()
		w.mu.Unlock()
	}
	if p.isDead() {
		return errLost
	}
	r, moved := r.Clone(), p.moved
	apply := func() error { return w.store(k, r, c, moved) }
	switch w.intN(10) {
	case 0: // the request is lost
		p.ambiguous()
		return errLost
	case 1: // the answer is lost
		_ = apply()
		p.ambiguous()
		return errLost
	case 2: // the request arrives after the caller has given up
		late := time.Duration(w.intN(3000)) * time.Millisecond
		w.group.Go(func() { time.Sleep(late); _ = apply() })
		p.ambiguous()
		return errLost
	case 3:
		time.Sleep(time.Duration(w.intN(400)) * time.Millisecond)
	}
	return apply()
}

func (p *process) ambiguous() {
	if p.w.fault == nextSlot {
		p.moved++
	}
}

// store applies a write to the table, correctly or by the wrong variants.
func (w *world) store(k table.Key, r table.Row, c table.Cond, moved int64) error {
	ctx := context.Background()
	switch {
	case w.fault == unconditional:
		if old, err := w.memory.Get(ctx, k); err == nil {
			r.Version = old.Version + 1
			return w.memory.Put(ctx, k, r, table.Version(old.Version))
		}
	case w.fault == nextSlot && moved > 0:
		at := strings.LastIndex(r.Sort, "#") + 1
		n, err := strconv.ParseInt(r.Sort[at:], 10, 64)
		if err != nil {
			return err
		}
		_, err = w.direct.Put(ctx, table.Item{Sort: fmt.Sprintf("%s%012d", r.Sort[:at], n+moved), Attr: r.Attr}, table.Absent())
		return err
	}
	return w.memory.Put(ctx, k, r, c)
}

func (p *process) Query(ctx context.Context, q table.DriverQuery) (table.DriverPage, error) {
	if p.isDead() || p.w.intN(20) == 0 {
		return table.DriverPage{}, errLost
	}
	page, err := p.w.memory.Query(ctx, q)
	if p.w.fault == emitEarly && !q.Desc {
		p.w.mu.Lock()
		defer p.w.mu.Unlock()
		stored := map[string]bool{}
		for _, r := range page.Rows {
			stored[r.Sort] = true
		}
		for sort, r := range p.w.early {
			if sort >= q.From && !stored[sort] && len(page.Rows) == 0 {
				page.Rows = append(page.Rows, r.Clone())
				break
			}
		}
	}
	return page, err
}
