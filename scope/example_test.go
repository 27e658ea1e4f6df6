package scope_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/carrel-go/carrel/scope"
)

func Example() {
	tenant, _ := scope.Tenant("acme")
	user, _ := tenant.User("u1")
	session, _ := user.Session("0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b")

	key, _ := session.Key("cover.jpg")
	fmt.Println(key)
	fmt.Println(session.Partition())

	_, err := session.Key("../../tenant=globex/x")
	fmt.Println(errors.Is(err, scope.ErrInvalid))
	// Output:
	// tenant=acme/user=u1/uploads/0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b/cover.jpg
	// t#acme#u#u1#s#0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b
	// true
}

func ExampleParseKey() {
	s, name, err := scope.ParseKey("tenant=acme/shared/terms.pdf")
	fmt.Println(s.TenantID(), s.Level(), name, err)

	_, _, err = scope.ParseKey("tenant=acme/shared/../x")
	fmt.Println(err)
	// Output:
	// acme shared terms.pdf <nil>
	// scope: invalid key "tenant=acme/shared/../x": has a path separator
}

func ExampleScope_Contains() {
	acme, _ := scope.Tenant("acme")
	user, _ := acme.User("u1")
	globex, _ := scope.Tenant("globex")
	fmt.Println(acme.Contains(user), globex.Contains(user), scope.Scope{}.Contains(user))
	// Output: true false false
}

func ExampleFromContext() {
	_, err := scope.FromContext(context.Background())
	fmt.Println(err)
	// Output: scope: denied: no scope in the context
}

func ExampleEncodeID() {
	id, _ := scope.EncodeID("auth0|42")
	fmt.Println(id)
	// Output: e_YXV0aDB8NDI
}
