package trackingtest_test

import (
	"context"
	"fmt"

	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tracking/trackingtest"
)

func ExampleTest() {
	open := func() (table.Driver, error) { return table.NewMemory(nil), nil }
	err := trackingtest.Test(context.Background(), open, nil)
	fmt.Println(err)
	// Output: <nil>
}
