package table

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// MemoryOptions configures a [Memory].
type MemoryOptions struct {
	// IndexDelay is how long after a write the indexes show it, as
	// DynamoDB's do. Default: 0, at once.
	IndexDelay time.Duration
	// Listed are the only attributes that an index holds of an item, as in a
	// DynamoDB table that projects them; see [Found]. Default: nil, the
	// whole item.
	Listed []string
}

// Memory is a [Driver] that keeps its rows in memory: for tests, examples and
// programs that need nothing to last. It starts no goroutine and needs no
// Close; time is [time.Now], so a synctest bubble governs its index delay and
// its expiries. Expired rows stay until they are replaced, deleted or purged.
type Memory struct {
	delay  time.Duration
	listed []string // nil: all

	mu      sync.RWMutex
	rows    map[string]list        // by partition
	index   [slots]map[string]list // by index partition: the rows as they were IndexDelay ago
	pending []change               // what the indexes do not show yet, oldest first
}

// change is a write that the indexes have still to show.
type change struct {
	at       time.Time
	old, new *Row
}

// NewMemory returns an empty driver. Nil options are the defaults.
func NewMemory(o *MemoryOptions) *Memory {
	m := &Memory{rows: map[string]list{}}
	if o != nil {
		m.delay, m.listed = o.IndexDelay, slices.Clone(o.Listed)
	}
	for i := range m.index {
		m.index[i] = map[string]list{}
	}
	return m
}

var (
	_ Driver = (*Memory)(nil)
	_ Purger = (*Memory)(nil)
)

// Get returns a copy of the row.
func (m *Memory) Get(ctx context.Context, k Key) (Row, error) {
	if err := usable(ctx, k); err != nil {
		return Row{}, err
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	r := m.row(k)
	if r == nil {
		return Row{}, ErrNotFound
	}
	return r.Clone(), nil
}

// Put stores a copy of the row.
func (m *Memory) Put(ctx context.Context, k Key, r Row, c Cond) error {
	if err := usable(ctx, k); err != nil {
		return err
	}
	r = r.Clone()
	r.Partition, r.Sort = k.partition, k.sort
	return m.write(k, &r, c)
}

// Delete removes the row.
func (m *Memory) Delete(ctx context.Context, k Key, c Cond) error {
	if err := usable(ctx, k); err != nil {
		return err
	}
	return m.write(k, nil, c)
}

// write replaces the row of k by r, or removes it where r is nil.
func (m *Memory) write(k Key, r *Row, c Cond) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	old := m.row(k)
	if !c.Holds(old, now) {
		if old == nil {
			return &RowConflictError{}
		}
		current := old.Clone()
		return &RowConflictError{Current: &current}
	}
	m.set(k, old, r, now)
	return nil
}

// set replaces the stored row old of k by r; either may be nil.
func (m *Memory) set(k Key, old, r *Row, now time.Time) {
	if r != nil {
		m.rows[k.partition] = m.rows[k.partition].put(entry{k.sort, r})
	} else if l := m.rows[k.partition].remove(entry{k.sort, old}); len(l) > 0 {
		m.rows[k.partition] = l
	} else {
		delete(m.rows, k.partition)
	}
	m.pending = append(m.pending, change{at: now.Add(m.delay), old: old, new: r})
	m.settle(now)
}

// row returns the stored row, which is never changed, or nil.
func (m *Memory) row(k Key) *Row {
	l := m.rows[k.partition]
	i, ok := l.find(entry{k.sort, &Row{Partition: k.partition, Sort: k.sort}})
	if !ok {
		return nil
	}
	return l[i].row
}

// settle makes the indexes show what is due by now.
func (m *Memory) settle(now time.Time) {
	n := 0
	for ; n < len(m.pending) && !m.pending[n].at.After(now); n++ {
		c := m.pending[n]
		for i := range slots {
			if c.old != nil && c.old.Index[i][0] != "" {
				p := c.old.Index[i][0]
				if m.index[i][p] = m.index[i][p].remove(entry{c.old.Index[i][1], c.old}); len(m.index[i][p]) == 0 {
					delete(m.index[i], p)
				}
			}
			if c.new != nil && c.new.Index[i][0] != "" {
				p := c.new.Index[i][0]
				m.index[i][p] = m.index[i][p].put(entry{c.new.Index[i][1], c.new})
			}
		}
	}
	if n > 0 {
		m.pending = append(m.pending[:0], m.pending[n:]...)
	}
}

// Purge implements [Purger]. It looks at every row.
func (m *Memory) Purge(ctx context.Context, now time.Time, limit int) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var gone []*Row
	for _, l := range m.rows {
		for _, e := range l {
			if e.row.Expired(now) {
				gone = append(gone, e.row)
			}
		}
	}
	slices.SortFunc(gone, func(a, b *Row) int { return a.Expires.Compare(b.Expires) })
	gone = gone[:min(limit, len(gone))]
	for _, r := range gone {
		m.set(Key{partition: r.Partition, sort: r.Sort}, r, nil, now)
	}
	return len(gone), nil
}

// Query returns a page of copies.
func (m *Memory) Query(ctx context.Context, q DriverQuery) (DriverPage, error) {
	if err := usable(ctx, q.Key); err != nil {
		return DriverPage{}, err
	}
	now := time.Now()
	if q.Slot == 0 {
		m.mu.RLock()
		defer m.mu.RUnlock()
		return m.rows[q.Key.partition].page(q, now), nil
	}
	if q.Slot < 0 || q.Slot > I3 || q.Consistent {
		return DriverPage{}, fmt.Errorf("memory: no such query: slot %d, consistent %t", q.Slot, q.Consistent)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.settle(now)
	page := m.index[q.Slot-1][q.Key.partition].page(q, now)
	if m.listed != nil {
		for i, r := range page.Rows {
			page.Rows[i] = m.project(r, q.Slot)
		}
	}
	return page, nil
}

// project returns what an index holds of a row.
func (m *Memory) project(r Row, slot Slot) Row {
	index := r.Index[slot-1]
	r.Version, r.Index = 0, [slots][2]string{}
	r.Index[slot-1] = index
	maps.DeleteFunc(r.Attr, func(name string, _ Value) bool { return !slices.Contains(m.listed, name) })
	return r
}

// usable says why a call must not go on.
func usable(ctx context.Context, k Key) error {
	if k.partition == "" {
		return fmt.Errorf("%w: the zero Key", ErrScope)
	}
	return ctx.Err()
}
