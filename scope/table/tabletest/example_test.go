package tabletest_test

import (
	"testing"
	"testing/synctest"

	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/scope/table/tabletest"
)

func ExampleTest() {
	// In a test file of the driver:
	testDriver := func(t *testing.T) {
		open := func(*testing.T) table.Driver { return table.NewMemory(nil) }
		tabletest.Test(t, open, &tabletest.Options{Run: synctest.Test})
	}
	_ = testDriver
	// Output:
}
