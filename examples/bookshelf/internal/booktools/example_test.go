package booktools_test

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/booktools"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tools"
)

func ExampleTools() {
	ctx := context.Background()
	landing, _ := object.New(object.NewMemory(), "landing", nil)
	set, err := booktools.Tools(landing, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	acme, err := scope.Tenant("acme")
	if err != nil {
		fmt.Println(err)
		return
	}
	offered, err := set.Resolve(ctx, acme, &tools.State{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for s := range offered.Specs() {
		fmt.Println(s.Name)
	}
	t, _ := offered.Lookup(booktools.SetField)
	r, err := t.Call(ctx, tools.NewCall(tools.CallOptions{
		Scope: acme, ID: "1", Name: booktools.SetField, Args: json.RawMessage(`{"field":"published_year","value":"1815"}`),
	}))
	fmt.Printf("%s %v\n", r.Blocks[0].JSON, err)
	// Output:
	// check_isbn
	// look_up_book
	// read_cover
	// scan_barcode
	// set_field
	// {"field":"published_year","value":1815} <nil>
}
