package trackingtest_test

import (
	"testing"
	"testing/synctest"

	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tracking/trackingtest"
)

// A driver's own test calls the suite. Run one check with
// -run 'TestDriver/listing'.
func ExampleTest() {
	testDriver := func(t *testing.T) {
		open := func(*testing.T) table.Driver { return table.NewMemory(nil) }
		trackingtest.Test(t, open, &trackingtest.Options{Run: synctest.Test})
	}
	_ = testDriver
	// Output:
}
