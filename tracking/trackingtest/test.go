package trackingtest

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
	// Rounds is how many histories are made of each of the two pipelines, of
	// some four hundred calls each. With fewer than 12 the other checks make
	// fewer calls too, for stores of which each takes long. Default: 12.
	Rounds int
	// Seed is the first history's. Default: 0.
	Seed uint64
}

// The properties, as [CheckError] names them.
const (
	Absorbing   = "1 terminal is absorbing"
	NoLost      = "2 versions increase and no update is lost"
	OneFence    = "3 one fence completes a stage and a zombie changes nothing"
	Replay      = "4 what is repeated is done once"
	Attempts    = "5 attempts are counted by starts and bounded"
	Required    = "6 success is when all required stages succeeded"
	Durations   = "7 no duration is negative"
	DueIndex    = "8 what is not terminal is in the due index"
	Listing     = "9 pages are the exact set, newest first"
	Tenants     = "10 no list shows another tenant's record"
	Size        = "11 the largest record is under 400 KB"
	Schema      = "12 unknown attributes survive and a newer schema is refused"
	Crash       = "13 after any crash a record can be taken up, and ends"
	Convergence = "14 duplicated and reordered events converge"

	// Answers is no property of its own: what a worker is told must be one
	// of the errors that are documented, and the histories must get around.
	Answers = "answers are those that are documented"
)

// CheckError is a property that does not hold. The error of [Test] is all of
// them joined, each property once; it has the method Unwrap() []error.
type CheckError struct {
	Check string // the property's name, one of the constants
	Err   error
}

func (f *CheckError) Error() string { return "trackingtest: " + f.Check + ": " + f.Err.Error() }

// Unwrap returns what went wrong.
func (f *CheckError) Unwrap() error { return f.Err }

// Test checks every property and returns the failures joined, or nil. Each
// check opens a driver, which may be the same one every time, and closes it
// where it is an [io.Closer]. By default it makes some fifteen thousand calls;
// ctx bounds it all.
func Test(ctx context.Context, open func() (table.Driver, error), o *Options) error {
	if o == nil {
		o = &Options{}
	}
	all := &failures{seen: map[string]bool{}}
	for _, c := range []struct {
		name string
		run  func(*world)
	}{
		{Answers, histories},
		{Replay, replays},
		{DueIndex, dueIndex},
		{Listing, listing},
		{Tenants, tenants},
		{Size, size},
		{Schema, schemas},
		{Crash, crashes},
		{Convergence, events},
	} {
		if err := one(ctx, open, *o, all, c.run); err != nil {
			all.add(c.name, err)
		}
	}
	return errors.Join(all.errs...)
}

// failures keeps the first of each property.
type failures struct {
	seen map[string]bool
	errs []error
}

func (f *failures) add(check string, err error) {
	if !f.seen[check] {
		f.seen[check] = true
		f.errs = append(f.errs, &CheckError{Check: check, Err: err})
	}
}

// one runs a check in a world of its own, and cleans up after it.
func one(ctx context.Context, open func() (table.Driver, error), o Options, all *failures, run func(*world)) (err error) {
	d, err := open()
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	w := newWorld(ctx, d, o, all)
	err = try(func() { run(w) })
	if cleanErr := w.driver.clean(ctx); err == nil { // what is left of a failed check says nothing new
		err = cleanErr
	}
	if c, ok := d.(io.Closer); ok {
		err = errors.Join(err, c.Close())
	}
	return err
}

type failed struct{ err error }

// try returns the failure by which run ended, if it did.
func try(run func()) (err error) {
	defer func() {
		if p := recover(); p != nil {
			f, ok := p.(failed)
			if !ok {
				panic(p)
			}
			err = f.err
		}
	}()
	run()
	return nil
}

func fail(format string, args ...any) { panic(failed{fmt.Errorf(format, args...)}) }

func must(err error, doing string) {
	if err != nil {
		fail("%s: %w", doing, err)
	}
}
