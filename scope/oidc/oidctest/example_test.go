package oidctest_test

import (
	"context"
	"fmt"

	"github.com/carrel-go/carrel/scope/oidc"
	"github.com/carrel-go/carrel/scope/oidc/oidctest"
)

func Example() {
	ctx := context.Background()
	iss, err := oidctest.New(nil)
	if err != nil {
		panic(err)
	}
	defer iss.Close()
	v, err := oidc.New(ctx, iss.URL(), iss.ClientID(), nil)
	if err != nil {
		panic(err)
	}
	defer v.Close()
	token, err := iss.Token(map[string]any{"sub": "ann", "custom:tenant_id": "acme"})
	if err != nil {
		panic(err)
	}
	id, err := v.Verify(ctx, token)
	fmt.Println(id.User, err)
	// Output: tenant=acme/user=ann/ <nil>
}
