package table

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/carrel-go/carrel/scope"
)

// MaxSort is the longest sort key, in bytes: DynamoDB's limit.
const MaxSort = 1024

// Key names a row, or with an empty sort a whole partition, to a [Driver].
// Only this package makes one, from a Scope, so nobody can ask a driver for a
// foreign row by string. The zero Key names nothing.
type Key struct {
	owner           scope.Scope
	partition, sort string
	system          bool // asked by a [System]
}

// Scope returns the scope that asks, by which a driver may choose its
// credentials; false where the key belongs to no scope.
func (k Key) Scope() (scope.Scope, bool) { return k.owner, k.owner.Level() != scope.None }

// Partition returns the partition key; "" for the zero Key, which a driver
// refuses with [ErrScope].
func (k Key) Partition() string { return k.partition }

// Sort returns the sort key; "" where the key names a partition.
func (k Key) Sort() string { return k.sort }

// Contains reports whether a base partition is of a scope that the key's
// scope contains; of a [System]'s key, whether it is of any scope. A driver
// that counts the rows of an index counts only those: any writer can put any
// index attribute on its own rows.
func (k Key) Contains(partition string) bool {
	s, err := scope.ParsePartition(partition)
	return err == nil && (k.system || k.owner.Contains(s))
}

// Within says what [Key.Contains] means in terms that a store can evaluate:
// of the partitions that a View writes to, it contains exactly own and those
// that begin with below.
func (k Key) Within() (own, below string) {
	own = k.owner.Partition()
	return own, own + "#"
}

// Slot is one of the three generic indexes. The zero Slot is the base table.
type Slot int

// The index slots.
const (
	I1 Slot = iota + 1
	I2
	I3
)

const slots = 3

// checkSort returns an error wrapping sentinel where s is no sort key.
func checkSort(s string, sentinel error) error {
	if s == "" {
		return fmt.Errorf("%w: it is empty", sentinel)
	}
	return checkBound(s, sentinel)
}

// checkBound is checkSort for an end of a range, which may be empty.
func checkBound(s string, sentinel error) error {
	switch {
	case len(s) > MaxSort:
		return fmt.Errorf("%w: %d bytes, at most %d are allowed", sentinel, len(s), MaxSort)
	case !utf8.ValidString(s):
		return fmt.Errorf("%w: %q is not UTF-8", sentinel, s)
	case hasControl(s):
		return fmt.Errorf("%w: %q has a control character", sentinel, s)
	}
	return nil
}

// hasControl reports whether s has a C0 control or DEL.
func hasControl(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < 0x20 || r == 0x7f }) >= 0
}
