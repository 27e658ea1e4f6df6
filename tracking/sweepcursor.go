package tracking

import (
	"slices"
	"time"
)

// sweepCursor is the work that a sweep has left.
type sweepCursor struct {
	To     string `json:"to,omitempty"` // the time up to which records are overdue; empty: all are swept
	Shards []int  `json:"shards"`       // not yet swept to their ends, in order
	Cursor string `json:"cursor,omitempty"`
}

// parseSweepCursor parses the cursor of a sweep with that [SweepOptions.Orphans].
func parseSweepCursor(text string, orphans bool) (sweepCursor, error) {
	const bad = "the cursor does not belong to a sweep with these options"
	var c sweepCursor
	if !decodeCursor(text, &c) || orphans != (c.To == "") {
		return sweepCursor{}, invalidError(bad)
	}
	if _, err := time.Parse(timeLayout, c.To); err != nil && c.To != "" {
		return sweepCursor{}, invalidError(bad)
	}
	exists := func(shard int) bool { return 0 <= shard && shard < Shards }
	if len(c.Shards) > Shards || slices.ContainsFunc(c.Shards, func(shard int) bool { return !exists(shard) }) {
		return sweepCursor{}, invalidError(bad)
	}
	return c, nil
}
