package presigntest_test

import (
	"context"
	"fmt"

	"github.com/carrel-go/carrel/presign/presigntest"
)

func ExampleAllowUploads() {
	ctx, client := context.Background(), newClient(secret) // of the server that the tests run
	if err := presigntest.EnsureBucket(ctx, client, "carrel-landing"); err != nil {
		panic(err)
	}
	err := presigntest.AllowUploads(ctx, client, "carrel-landing", []string{"http://127.0.0.1:8080"})
	fmt.Println(err)
	// Output: <nil>
}
