package objecttest_test

import (
	"testing"

	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/object/objecttest"
)

func Example() {
	// In a file that ends in _test.go:
	TestDriver := func(t *testing.T) {
		t.Parallel()
		objecttest.Test(t, object.NewMemory(), "my-bucket", nil)
	}
	_ = TestDriver
}
