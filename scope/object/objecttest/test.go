package objecttest

import (
	"testing"

	"github.com/carrel-go/carrel/scope/object"
)

// Options configures [Test]. Nil is valid.
type Options struct {
	// KnownFailures maps checks that the store is known to fail to the reason. They are
	// skipped if they fail. If one passes, the test fails.
	KnownFailures map[string]string
}

// Test checks d, the driver of the bucket with that name. Each check is a parallel
// subtest that can be selected with -run, such as TestDriver/pins. Test makes some
// 1,300 requests.
func Test(t *testing.T, d object.Driver, bucket string, o *Options) {
	t.Helper()
	var known map[string]string
	if o != nil {
		known = o.KnownFailures
	}
	names := map[string]bool{}
	for _, c := range checks {
		names[c.name] = true
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			err := c.runOn(t.Context(), d, bucket)
			reason, isKnown := known[c.name]
			switch {
			case isKnown && err == nil:
				t.Errorf("passes, want the known failure: %s", reason)
			case isKnown:
				t.Skipf("known: %s: %v", reason, err)
			case err != nil:
				t.Error(err)
			}
		})
	}
	for name := range known {
		if !names[name] {
			t.Errorf("KnownFailures has %q, want the name of a check", name)
		}
	}
}

type check struct {
	name string
	run  func(*bench)
}

var checks = []check{
	{"write once", checkWriteOnce},
	{"write once, concurrently", checkWriteOnceRace},
	{"replace by ETag", checkIfMatch},
	{"replace by ETag, concurrently", checkIfMatchRace},
	{"overwrite", checkOverwrite},
	{"bodies", checkBodies},
	{"ranges", checkRanges},
	{"stat", checkStat},
	{"pins", checkPins},
	{"version pins", checkVersionPins},
	{"delete", checkDelete},
	{"names", checkNames},
	{"list", checkList},
	{"other scopes", checkOtherScopes},
	{"copy", checkCopy},
	{"copy by stream", checkCopyByStream},
	{"file system", checkFileSystem},
	{"cancel", checkCancel},
}
