package tabletest

import (
	"io"
	"testing"
	"time"

	"github.com/carrel-go/carrel/scope/table"
)

// Options configures [Test]. Nil is valid.
type Options struct {
	// Lag is the longest time after which the indexes show a write. A check of an index
	// is repeated for that long. Zero means that indexes do not lag.
	Lag time.Duration
	// Listed are the attributes that the indexes of the store contain; see
	// [table.Found]. The checks use attributes named "a" and "b". Nil means the whole
	// item.
	Listed []string
	// Run, if non-nil, runs each check. With [testing/synctest.Test], waiting is
	// instant; use it for drivers that do not call a server.
	Run func(*testing.T, func(*testing.T))
	// KnownFailures maps checks that the store is known to fail to the reason. They are
	// skipped if they fail. If one passes, the test fails.
	KnownFailures map[string]string
}

// Test runs each check as a parallel subtest. A check calls open and, at its end, closes
// the driver if it is an [io.Closer]. Otherwise open may return the same driver every
// time. The suite makes about 3,000 calls and waits up to two seconds for an expiry.
//
// To run one check, use -run, for example -run 'TestDriver/purge'.
func Test(t *testing.T, open func(*testing.T) table.Driver, o *Options) {
	if o == nil {
		o = &Options{}
	}
	run := o.Run
	if run == nil {
		run = func(t *testing.T, f func(*testing.T)) { f(t) }
	}
	names := map[string]bool{}
	for _, c := range checks() {
		names[c.name] = true
		t.Run(c.name, func(t *testing.T) {
			if !c.alone {
				t.Parallel()
			}
			run(t, func(t *testing.T) { testCheck(t, open(t), *o, c) })
		})
	}
	for name := range o.KnownFailures {
		if !names[name] {
			t.Errorf("tabletest: unknown check %q in KnownFailures", name)
		}
	}
}

func testCheck(t *testing.T, d table.Driver, o Options, c check) {
	reason, isKnown := o.KnownFailures[c.name]
	if !isKnown {
		runCheck(t, d, o, c)
		return
	}
	r := record(t.Context(), func(r *recorder) { runCheck(r, d, o, c) })
	if !r.Failed() {
		t.Errorf("tabletest: the check passes, but KnownFailures says %q", reason)
	}
	t.Skipf("known failure: %s: %s", reason, r.text())
}

type check struct {
	name  string
	run   func(*bench)
	alone bool // not while other checks use the same store
}

func checks() []check {
	return []check{
		{name: "conditions", run: checkConditions},
		{name: "replaces all", run: checkReplacement},
		{name: "a new item, a new version", run: checkNewVersion},
		{name: "many writers, one winner", run: checkOneWinner},
		{name: "no update is lost", run: checkNoLostUpdate},
		{name: "a conflict is its own", run: checkOwnConflict},
		{name: "values keep their types", run: checkValues},
		{name: "limits can be reached", run: checkLimits},
		{name: "nothing is shared", run: checkSharing},
		{name: "scopes are apart", run: checkScopesApart},
		{name: "expired is absent", run: checkExpired},
		{name: "expires in time", run: checkExpires},
		{name: "ranges and order", run: checkRanges},
		{name: "ranges and order in an index", run: checkIndexRanges},
		{name: "pages of large items", run: checkLargePages},
		{name: "pages while others write", run: checkMovingPages},
		{name: "indexes", run: checkIndexes},
		{name: "ties in an index", run: checkTies},
		{name: "foreign rows in an index", run: checkForeignRows},
		{name: "count", run: checkCounts},
		{name: "count of foreign rows", run: checkForeignCount},
		{name: "count up to the limit", run: checkCountLimit},
		{name: "shards", run: checkShards},
		{name: "purge", run: checkPurges, alone: true},
		{name: "done context", run: checkDoneContext},
		{name: "zero key", run: checkZeroKey},
		{name: "bad query", run: checkBadQuery},
		{name: "after close", run: checkAfterClose},
		{name: "random operations", run: checkRandom},
	}
}

// runCheck runs a check under tenants that no other check uses. It removes their items
// and closes the driver.
func runCheck(t tester, d table.Driver, o Options, c check) {
	b := newBench(t, d, o)
	defer func() {
		if b.closed {
			return
		}
		// An error after a failed check would only repeat it.
		if err := b.cleanUp(); err != nil && !t.Failed() {
			t.Errorf("clean up: %v", err)
		}
		if c, ok := d.(io.Closer); ok {
			if err := c.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		}
	}()
	c.run(b)
}
