package table

import (
	"math"
	"strconv"
	"time"
)

// Cond is the condition of a write. Its zero value is none, and is refused.
type Cond struct {
	absent  bool
	version int64
}

// Absent holds where there is no item, or only an expired one.
func Absent() Cond { return Cond{absent: true} }

// Version holds where there is an item that has not expired, with version n.
func Version(n int64) Cond { return Cond{version: n} }

// Absent reports whether c is [Absent].
func (c Cond) Absent() bool { return c.absent }

// Version returns the n of [Version]; 0 for [Absent].
func (c Cond) Version() int64 { return c.version }

// Holds evaluates the condition against the stored row, nil where there is
// none. A driver whose store evaluates conditions itself says the same there.
func (c Cond) Holds(stored *Row, now time.Time) bool {
	if stored == nil || stored.Expired(now) {
		return c.absent
	}
	return !c.absent && c.version > 0 && stored.Version == c.version
}

// String returns "absent" or "version 3".
func (c Cond) String() string {
	if c.absent {
		return "absent"
	}
	return "version " + strconv.FormatInt(c.version, 10)
}

// valid reports whether c is Absent or a Version that a stored item can have
// and that can be raised by one.
func (c Cond) valid() bool {
	return c.absent || c.version > 0 && c.version < math.MaxInt64
}
