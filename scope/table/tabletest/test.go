package tabletest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/carrel-go/carrel/scope/table"
)

// Options configure [Test]. Nil is valid.
type Options struct {
	// Lag is how long the indexes may take to show a write. A check of an
	// index is repeated until it holds or this has passed. Default: 0, the
	// indexes show every write at once.
	Lag time.Duration
	// Listed are the attributes that the store's indexes hold of an item,
	// where they do not hold all of it; see [table.Found]. The checks have
	// attributes named "a" and "b". Default: nil, the whole item.
	Listed []string
}

// CheckError is a check that failed. The error of [Test] is all of them joined;
// it has the method Unwrap() []error.
type CheckError struct {
	Check string // its name, in words
	Err   error
}

func (f *CheckError) Error() string { return "tabletest: " + f.Check + ": " + f.Err.Error() }

// Unwrap returns what went wrong.
func (f *CheckError) Unwrap() error { return f.Err }

// Test runs every check and returns the failures joined, or nil. Each check
// opens a driver, which may be the same one every time, and closes it where it
// is an [io.Closer]. It makes some three thousand calls, one check waits two
// seconds for an expiry, and ctx bounds it all.
func Test(ctx context.Context, open func() (table.Driver, error), o *Options) error {
	if o == nil {
		o = &Options{}
	}
	var all []error
	for _, c := range checks() {
		if err := one(ctx, open, *o, c.run); err != nil {
			all = append(all, &CheckError{Check: c.name, Err: err})
		}
	}
	return errors.Join(all...)
}

type check struct {
	name string
	run  func(*bench)
}

func checks() []check {
	return []check{
		{"conditions", conditions},
		{"replaces all", replaces},
		{"many writers, one winner", oneWinner},
		{"no update is lost", noLostUpdate},
		{"a conflict is its own", ownConflict},
		{"values keep their types", values},
		{"limits can be reached", limits},
		{"nothing is shared", sharing},
		{"scopes are apart", scopesApart},
		{"expired is absent", expired},
		{"expires in time", expires},
		{"ranges and order", ranges},
		{"ranges and order in an index", indexRanges},
		{"pages of large items", largePages},
		{"pages while others write", movingPages},
		{"indexes", indexes},
		{"ties in an index", ties},
		{"foreign rows in an index", foreignRows},
		{"count", counts},
		{"count of foreign rows", foreignCount},
		{"count up to the limit", countLimit},
		{"shards", shards},
		{"purge", purges},
		{"done context", doneContext},
		{"zero key", zeroKey},
		{"bad query", badQuery},
		{"after close", afterClose},
		{"random operations", random},
	}
}

// one runs a check on a bench of its own, and cleans up after it.
func one(ctx context.Context, open func() (table.Driver, error), o Options, run func(*bench)) (err error) {
	d, err := open()
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	b := newBench(ctx, d, o)
	err = b.try(run)
	if b.closed {
		return err
	}
	if cleanErr := b.clean(); err == nil { // what is left of a failed check says nothing new
		err = cleanErr
	}
	if c, ok := d.(io.Closer); ok {
		err = errors.Join(err, c.Close())
	}
	return err
}
