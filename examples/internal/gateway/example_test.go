package gateway_test

import (
	"context"
	"fmt"

	"github.com/carrel-go/carrel/examples/internal/gateway"
)

func ExampleAllowUploads() {
	ctx, client := context.Background(), newClient(secret) // of the gateway that the tests run
	if err := gateway.EnsureBucket(ctx, client, "carrel-landing"); err != nil {
		panic(err)
	}
	err := gateway.AllowUploads(ctx, client, "carrel-landing", []string{"http://127.0.0.1:8080"})
	fmt.Println(err)
	// Output: <nil>
}
