package objecttest_test

import (
	"context"
	"fmt"

	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/object/objecttest"
)

func ExampleTest() {
	err := objecttest.Test(context.Background(), object.NewMemory(), "carrel-raw")
	fmt.Println(err)
	// Output: <nil>
}
