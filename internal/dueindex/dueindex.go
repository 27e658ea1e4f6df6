// Package dueindex lists sessions by the time at which work on them is due. Each has one item with an entry in slot I3
// of the table, and shards spread the entries.
package dueindex

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"sync"
	"time"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

// TimeLayout is the layout of the times in an index: UTC with three fractional digits, so that they sort as text.
const TimeLayout = "2006-01-02T15:04:05.000Z"

// FormatTime returns t in the form of TimeLayout.
func FormatTime(t time.Time) string { return t.UTC().Format(TimeLayout) }

// Index is a class of slot I3 with a number of shards.
type Index struct {
	Class  string
	Shards int
}

// Entry returns the entry of a session on which work is due at that time.
func (x Index) Entry(session scope.Scope, due time.Time) table.Entry {
	h := fnv.New32a()
	_, _ = h.Write([]byte(session.Partition()))
	return table.Entry{
		Slot: table.I3, Level: scope.None, Class: x.Class, Shard: int(h.Sum32() % uint32(x.Shards)), Sort: FormatTime(due),
	}
}

// Pass goes through the entries that are due. Several calls of Continue make one pass. Concurrent calls wait for each
// other.
type Pass struct {
	mu    sync.Mutex
	shard int
	q     table.Query // of the entries that were due when the pass began; zero before it
}

// Continue calls visit for each entry of x that was due at that time when the pass began. It reads a bounded number of
// pages, of 100 entries: one of each shard, and ten more, since any writer may add entries. The next call continues
// there. It skips shards that cannot be listed, and entries for which visit fails, and returns the first of their
// errors.
func (p *Pass) Continue(
	ctx context.Context, system *table.System, x Index, due time.Time, visit func(table.Found) error,
) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.q.To == "" { // To is exclusive
		p.q = table.Query{Slot: table.I3, Class: x.Class, To: FormatTime(due.Add(time.Millisecond))}
	}
	var first error
	for range x.Shards + 10 {
		page, err := system.Query(ctx, p.shard, p.q)
		if ended := ctx.Err(); ended != nil {
			return errors.Join(first, ended)
		}
		if err != nil && first == nil {
			first = fmt.Errorf("shard %d: %w", p.shard, err)
		}
		for _, f := range page.Items {
			if err := visit(f); err != nil && first == nil {
				first = fmt.Errorf("%s: %w", f.Scope, err)
			}
		}
		if p.q.Cursor = page.Next; page.Next != "" {
			continue
		}
		if p.shard++; p.shard == x.Shards {
			p.shard, p.q = 0, table.Query{}
			break
		}
	}
	return first
}
