package table

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// MemoryOptions configures [NewMemory].
type MemoryOptions struct {
	// IndexDelay is the time after which the indexes show a write, like the lag of
	// DynamoDB's. Zero means at once.
	IndexDelay time.Duration
	// Listed are the attributes that the indexes contain, like a projection of
	// DynamoDB; see [Found]. Nil means the whole item.
	Listed []string
}

type memory struct {
	delay  time.Duration
	listed []string // nil means all

	mu      sync.RWMutex
	rows    map[string]list        // by partition
	index   [slots]map[string]list // by index partition: the rows as they were IndexDelay ago
	pending []change               // writes that the indexes do not show yet, oldest first
}

// change is a write that the indexes will show at a later time.
type change struct {
	at       time.Time
	old, new *Row
}

// NewMemory returns a [Driver] and [Purger] that stores rows in memory, for tests and
// examples. It does not start goroutines and does not need a Close. It reads the time from
// [time.Now], so package testing/synctest controls expiries and IndexDelay. Expired rows
// stay until they are replaced, deleted or purged. Nil options mean the defaults.
func NewMemory(o *MemoryOptions) Driver {
	m := &memory{rows: map[string]list{}}
	if o != nil {
		m.delay, m.listed = o.IndexDelay, slices.Clone(o.Listed)
	}
	for i := range m.index {
		m.index[i] = map[string]list{}
	}
	return m
}

var _ Purger = (*memory)(nil)

// Get returns a copy of the row.
func (m *memory) Get(ctx context.Context, k Key) (Row, error) {
	if err := checkCall(ctx, k); err != nil {
		return Row{}, err
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	r := m.findRow(k)
	if r == nil {
		return Row{}, ErrNotFound
	}
	return r.Clone(), nil
}

// Put stores a copy of the row.
func (m *memory) Put(ctx context.Context, k Key, r Row, c Cond) error {
	if err := checkCall(ctx, k); err != nil {
		return err
	}
	r = r.Clone()
	r.Partition, r.Sort = k.partition, k.sort
	return m.writeRow(k, &r, c)
}

// Delete removes the row.
func (m *memory) Delete(ctx context.Context, k Key, c Cond) error {
	if err := checkCall(ctx, k); err != nil {
		return err
	}
	return m.writeRow(k, nil, c)
}

// writeRow replaces the row of k by r, or removes it if r is nil.
func (m *memory) writeRow(k Key, r *Row, c Cond) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	old := m.findRow(k)
	if !c.Holds(old, now) {
		if old == nil {
			return &RowConflictError{}
		}
		current := old.Clone()
		return &RowConflictError{Current: &current}
	}
	m.replaceRow(k, old, r, now)
	return nil
}

// replaceRow replaces the stored row old of k by r. Either may be nil.
func (m *memory) replaceRow(k Key, old, r *Row, now time.Time) {
	if r != nil {
		m.rows[k.partition] = m.rows[k.partition].putEntry(entry{k.sort, r})
	} else if l := m.rows[k.partition].removeEntry(entry{k.sort, old}); len(l) > 0 {
		m.rows[k.partition] = l
	} else {
		delete(m.rows, k.partition)
	}
	m.pending = append(m.pending, change{at: now.Add(m.delay), old: old, new: r})
	m.updateIndexes(now)
}

// findRow returns the stored row, which must not be changed, or nil.
func (m *memory) findRow(k Key) *Row {
	l := m.rows[k.partition]
	i, ok := l.findEntry(entry{k.sort, &Row{Partition: k.partition, Sort: k.sort}})
	if !ok {
		return nil
	}
	return l[i].row
}

// updateIndexes makes the indexes show the writes whose delay has passed.
func (m *memory) updateIndexes(now time.Time) {
	n := 0
	for ; n < len(m.pending) && !m.pending[n].at.After(now); n++ {
		c := m.pending[n]
		for i := range slots {
			if c.old != nil && c.old.Index[i][0] != "" {
				p := c.old.Index[i][0]
				if m.index[i][p] = m.index[i][p].removeEntry(entry{c.old.Index[i][1], c.old}); len(m.index[i][p]) == 0 {
					delete(m.index[i], p)
				}
			}
			if c.new != nil && c.new.Index[i][0] != "" {
				p := c.new.Index[i][0]
				m.index[i][p] = m.index[i][p].putEntry(entry{c.new.Index[i][1], c.new})
			}
		}
	}
	if n > 0 {
		m.pending = append(m.pending[:0], m.pending[n:]...)
	}
}

// Purge implements [Purger]. It examines every row.
func (m *memory) Purge(ctx context.Context, now time.Time, limit int) (int, error) {
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
		m.replaceRow(Key{partition: r.Partition, sort: r.Sort}, r, nil, now)
	}
	return len(gone), nil
}

// Query returns a page of copies.
func (m *memory) Query(ctx context.Context, q DriverQuery) (DriverPage, error) {
	if err := checkCall(ctx, q.Key); err != nil {
		return DriverPage{}, err
	}
	now := time.Now()
	if q.Slot == 0 {
		m.mu.RLock()
		defer m.mu.RUnlock()
		return m.rows[q.Key.partition].selectPage(q, now), nil
	}
	if q.Slot < 0 || q.Slot > I3 || q.Consistent {
		return DriverPage{}, fmt.Errorf("table: memory: invalid query: slot %d, consistent %t", q.Slot, q.Consistent)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.updateIndexes(now)
	page := m.index[q.Slot-1][q.Key.partition].selectPage(q, now)
	if m.listed != nil {
		for i, r := range page.Rows {
			page.Rows[i] = m.projectRow(r, q.Slot)
		}
	}
	return page, nil
}

// projectRow returns the part of a row that an index contains.
func (m *memory) projectRow(r Row, slot Slot) Row {
	index := r.Index[slot-1]
	r.Version, r.Index = 0, [slots][2]string{}
	r.Index[slot-1] = index
	maps.DeleteFunc(r.Attr, func(name string, _ Value) bool { return !slices.Contains(m.listed, name) })
	return r
}

// checkCall returns an error if a call must not begin.
func checkCall(ctx context.Context, k Key) error {
	if k.partition == "" {
		return newDeniedError("the zero Key")
	}
	return ctx.Err()
}
