package tools_test

import (
	"context"
	"fmt"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/tools"
)

type shelfIn struct {
	Title string `json:"title" jsonschema:"the title, as printed"`
	Copy  *int   `json:"copy" jsonschema:"which copy, from 1"`
}

type shelfOut struct {
	Shelf string `json:"shelf"`
}

func (o shelfOut) Summary() string { return "on shelf " + o.Shelf }

func ExampleNew() {
	find, err := tools.New("find_book", "Says on which shelf a book stands.",
		func(ctx context.Context, c *tools.Call, in shelfIn) (shelfOut, error) {
			return shelfOut{Shelf: c.Scope().TenantID() + "-7"}, nil
		})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(find.Spec().Schema))

	acme, _ := scope.Tenant("acme")
	res, err := find.Call(context.Background(), tools.NewCall(tools.CallOptions{
		Scope: acme, Args: []byte(`{"title": "Middlemarch"}`),
	}))
	fmt.Println(string(res.Blocks[0].JSON), "|", res.Summary, "|", err)

	_, err = find.Call(context.Background(), tools.NewCall(tools.CallOptions{
		Scope: acme, Args: []byte(`{"copy": "first", "tenant": "globex"}`),
	}))
	fmt.Println(err)
	// Output:
	// {"type":"object","properties":{"title":{"type":"string","description":"the title, as printed"},"copy":{"type":"integer","description":"which copy, from 1"}},"required":["title"],"additionalProperties":false}
	// {"shelf":"acme-7"} | on shelf acme-7 | <nil>
	// tools: correction: the arguments do not fit: title: is missing; copy: is string "first", want integer or null; tenant: is not known here; the names are ["title" "copy"]
}

func ExampleSet_Resolve() {
	tell := func(ctx context.Context, c *tools.Call, in struct{}) (string, error) { return "quiet", nil }
	noise, _ := tools.New("noise", "Says how loud the room is.", tell)
	light, _ := tools.New("light", "Says how bright the room is.", tell)

	acme, _ := scope.Tenant("acme")
	offered, err := tools.Of(noise, light).Resolve(context.Background(), acme, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for spec := range offered.Specs() {
		fmt.Println(spec.Name)
	}
	_, ok := offered.Lookup("heating")
	fmt.Println(ok)
	// Output:
	// light
	// noise
	// false
}

func ExampleFatal() {
	err := tools.Fatal(&tools.FatalError{
		Code:      "not_an_image",
		Message:   "The file is not an image.",
		Permanent: true,
		Err:       fmt.Errorf("image: unknown format"),
	})
	fmt.Println(err)
	// Output:
	// tools: fatal: not_an_image: The file is not an image.: image: unknown format
}
