package table

import (
	"math"
	"strconv"
	"time"
)

// Cond is the condition of a write. The zero Cond is invalid.
type Cond struct {
	absent  bool
	version int64
}

// Absent returns the condition that the item does not exist or has expired.
func Absent() Cond { return Cond{absent: true} }

// Version returns the condition that the item exists with version n and has not expired.
func Version(n int64) Cond { return Cond{version: n} }

// Absent reports whether c is [Absent].
func (c Cond) Absent() bool { return c.absent }

// Version returns the n of [Version], or 0 for [Absent].
func (c Cond) Version() int64 { return c.version }

// Holds evaluates the condition for the stored row, which is nil if the row is absent.
// A driver whose store evaluates conditions must follow the same rules.
func (c Cond) Holds(stored *Row, now time.Time) bool {
	if stored == nil || stored.Expired(now) {
		return c.absent
	}
	return !c.absent && c.version > 0 && stored.Version == c.version
}

// String returns "absent" or, for example, "version 3".
func (c Cond) String() string {
	if c.absent {
		return "absent"
	}
	return "version " + strconv.FormatInt(c.version, 10)
}

// isValid reports whether c is Absent, or a Version that an item can have and that
// can be increased by one.
func (c Cond) isValid() bool {
	return c.absent || c.version > 0 && c.version < math.MaxInt64
}
