package tabletest_test

import (
	"context"
	"fmt"

	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/scope/table/tabletest"
)

func ExampleTest() {
	open := func() (table.Driver, error) { return table.NewMemory(nil), nil }
	err := tabletest.Test(context.Background(), open, nil)
	fmt.Println(err)
	// Output: <nil>
}
