package bolt_test

import (
	"context"
	"fmt"
	"os"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/scope/table/bolt"
)

func ExampleOpen() {
	dir, err := os.MkdirTemp("", "carrel")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()

	tenant, _ := scope.Tenant("acme")
	for range 2 { // the second driver reads the items of the first
		d, err := bolt.Open(dir)
		if err != nil {
			panic(err)
		}
		t, _ := table.New(d, nil)
		v, _ := t.In(tenant)
		it, err := v.Put(context.Background(), table.Item{Sort: "settings"}, table.Absent())
		fmt.Println(it.Version > 0, err)
		if err := d.Close(); err != nil {
			panic(err)
		}
	}
	// Output:
	// true <nil>
	// false table: conflict: the item has changed
}
