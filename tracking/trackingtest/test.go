package trackingtest

import (
	"io"
	"testing"
	"time"

	"github.com/carrel-go/carrel/scope/table"
)

// Options configures [Test]. Nil means all defaults.
type Options struct {
	// Lag is how long the indexes may take to show a write. A check of an
	// index is repeated until it holds or Lag has passed. Default: 0.
	Lag time.Duration

	// Rounds is how many histories of about four hundred calls are made of
	// each of the two pipelines. If it is less than 12, the other checks make
	// fewer calls too, for stores whose calls are slow. Default: 12.
	Rounds int

	// Run, if non-nil, runs each check. With [testing/synctest.Test], waiting
	// is instant; use it for drivers that do not call a server.
	Run func(*testing.T, func(*testing.T))
}

// The properties that the checks look for. A failure names one of them.
const (
	propAbsorbing   = "1 terminal is absorbing"
	propNoLost      = "2 versions increase and no update is lost"
	propOneFence    = "3 one fence completes a stage, and a replaced worker changes nothing"
	propReplay      = "4 a repeated operation is done once"
	propAttempts    = "5 attempts are counted and bounded"
	propRequired    = "6 a record succeeds when all required stages have"
	propDurations   = "7 no duration is negative"
	propDueIndex    = "8 a record that is not terminal is in the due index"
	propListing     = "9 pages are the exact set, newest first"
	propTenants     = "10 no list shows another tenant's record"
	propCrash       = "11 after any crash a record can be continued, and ends"
	propConvergence = "12 duplicate and reordered events converge"

	// propAnswers covers the histories themselves: every answer is a
	// documented one, and the histories reach every kind of end.
	propAnswers = "every answer is documented"
)

// Test runs each check as a parallel subtest. A check calls open and, at its
// end, closes the driver if it is an [io.Closer]. Otherwise open may return the
// same driver every time. By default the suite makes about fifteen thousand calls.
//
// To run one check, use -run, for example -run 'TestTracking/listing'.
func Test(t *testing.T, open func(*testing.T) table.Driver, o *Options) {
	if o == nil {
		o = &Options{}
	}
	run := o.Run
	if run == nil {
		run = func(t *testing.T, f func(*testing.T)) { f(t) }
	}
	for _, c := range allChecks() {
		t.Run(c.name, func(t *testing.T) {
			if !c.alone {
				t.Parallel()
			}
			run(t, func(t *testing.T) { runCheck(&findings{t: t, seen: map[string]bool{}}, open(t), *o, c) })
		})
	}
}

type check struct {
	name     string
	property string // that the check fails for, unless it names another
	run      func(*world)
	alone    bool // sweeps the whole table: not while other checks use the same store
}

func allChecks() []check {
	return []check{
		{name: "histories", property: propAnswers, run: checkHistories, alone: true},
		{name: "replays", property: propReplay, run: checkReplays},
		{name: "due index", property: propDueIndex, run: checkDueIndex, alone: true},
		{name: "listing", property: propListing, run: checkListing},
		{name: "tenants", property: propTenants, run: checkTenants},
		{name: "crashes", property: propCrash, run: checkCrashes, alone: true},
		{name: "convergence", property: propConvergence, run: checkConvergence},
	}
}

// runCheck runs a check under tenants that no other check uses. It removes their
// items and closes the driver.
func runCheck(found *findings, d table.Driver, o Options, c check) {
	w := newWorld(d, o, found, c.property)
	defer func() {
		// An error after a failed check would only repeat it.
		if err := w.driver.cleanUp(w.ctx); err != nil && !found.t.Failed() {
			found.addFinding(c.property, err)
		}
		if c, ok := d.(io.Closer); ok {
			if err := c.Close(); err != nil {
				found.t.Errorf("close: %v", err)
			}
		}
	}()
	c.run(w)
}
