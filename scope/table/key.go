package table

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/carrel-go/carrel/scope"
)

// MaxSort is the length of the longest sort key in bytes: DynamoDB's limit.
const MaxSort = 1024

// Key names a row for a [Driver], or a partition if its sort key is empty. Only this
// package makes Keys, from a Scope, so a driver cannot be asked for another scope's
// row by a string. A driver rejects the zero Key.
type Key struct {
	owner           scope.Scope
	partition, sort string
	system          bool // made by a [System]
}

// Scope returns the scope of the caller, by which a driver may choose credentials. It
// returns false for the key of a [System].
func (k Key) Scope() (scope.Scope, bool) { return k.owner, k.owner.Level() != scope.None }

// Partition returns the partition key, or "" for the zero Key.
func (k Key) Partition() string { return k.partition }

// Sort returns the sort key, or "" if the key names a partition.
func (k Key) Sort() string { return k.sort }

// Contains reports whether the key's scope contains the scope of a base partition.
// The key of a [System] contains every scope. A driver that counts the rows of an
// index must count only contained rows, because a writer may be able to forge the index
// attributes of its rows.
func (k Key) Contains(partition string) bool {
	s, err := scope.ParsePartition(partition)
	return err == nil && (k.system || k.owner.Contains(s))
}

// Within returns [Key.Contains] in a form that a store can evaluate: among the
// partitions that Views write to, the key contains exactly own and those that begin
// with below. The key of a [System], which does not count, does not have such a form:
// then no partition matches.
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

// checkSort returns an error that wraps kind if s is not a valid sort key.
func checkSort(s string, kind error) error {
	if s == "" {
		return fmt.Errorf("%w: must not be empty", kind)
	}
	return checkBound(s, kind)
}

// checkBound is checkSort for a bound of a range, which may be empty.
func checkBound(s string, kind error) error {
	switch {
	case len(s) > MaxSort:
		return fmt.Errorf("%w: %d bytes: must be at most %d", kind, len(s), MaxSort)
	case !utf8.ValidString(s):
		return fmt.Errorf("%w: %q is not valid UTF-8", kind, s)
	case hasControl(s):
		return fmt.Errorf("%w: %q has a control character", kind, s)
	}
	return nil
}

// hasControl reports whether s contains a C0 control character or DEL.
func hasControl(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < 0x20 || r == 0x7f }) >= 0
}
