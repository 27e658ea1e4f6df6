package reader_test

import (
	"context"
	"fmt"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/reader"
	"github.com/carrel-go/carrel/scope"
)

func ExampleNew() {
	a, err := agent.New(reader.New(&reader.Options{Pace: -1}), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	tenant, err := scope.Tenant("acme")
	if err != nil {
		fmt.Println(err)
		return
	}
	for ev, err := range a.Stream(context.Background(), agent.Input{Scope: tenant, Prompt: reader.Prompt}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		if t, ok := ev.(agent.TextDelta); ok {
			fmt.Print(t.Text)
		}
	}
	// Output:
	// I am the bookshelf's offline reader: a program that follows fixed steps, not a language model. I could not find the title, the author, the ISBN, the publisher, the year and the description. You can tell me, for example “the title is …”, or fill it in yourself.
}
