package oidc_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/oidc"
	"github.com/carrel-go/carrel/scope/oidc/oidctest"
)

// The issuer of these examples is in the process. A real one does not need Options.Client.
func ExampleNew() {
	ctx := context.Background()
	issuer, err := oidctest.New(&oidctest.Options{URL: "https://issuer.example", ClientID: "bookshelf"})
	if err != nil {
		panic(err)
	}
	v, err := oidc.New(ctx, "https://issuer.example", "bookshelf", &oidc.Options{
		TenantClaim:  "tenant",
		GroupsClaim:  "roles",
		TenantGroups: []string{"ops"},
		Client:       issuer.Client(),
	})
	if err != nil {
		panic(err)
	}
	defer v.Close()

	for _, tenant := range []string{"acme", "acme/../globex"} {
		token, err := issuer.Token(map[string]any{"tenant": tenant, "sub": "u1", "roles": []string{"ops"}})
		if err != nil {
			panic(err)
		}
		id, err := v.Verify(ctx, token)
		fmt.Println(id.User, id.Shared, id.Tenant, err)
	}
	// Output:
	// tenant=acme/user=u1/ tenant=acme/shared/ tenant=acme/ <nil>
	// none none none oidc: token rejected: it has a claim that is not accepted: tenant has a character other than letters, digits, _ and -
}

func ExampleNewCognito() {
	_, err := oidc.NewCognito(context.Background(), "not a pool", "app-client", nil)
	fmt.Println(err)
	// Output: oidc: invalid user pool "not a pool": must be like eu-central-1_AbCdEf123
}

func ExampleVerifier_Middleware() {
	issuer, err := oidctest.New(nil)
	if err != nil {
		panic(err)
	}
	defer issuer.Close()
	v, err := oidc.New(context.Background(), issuer.URL(), issuer.ClientID(), nil)
	if err != nil {
		panic(err)
	}
	defer v.Close()
	h := v.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, err := scope.FromContext(r.Context())
		fmt.Fprintln(w, s, err)
	}))

	token, err := issuer.Token(map[string]any{"custom:tenant_id": "acme", "sub": "u1"})
	if err != nil {
		panic(err)
	}
	for _, token := range []string{"", "Bearer forged", "Bearer " + token} {
		r := httptest.NewRequest(http.MethodGet, "/api/ops/files", nil)
		if token != "" {
			r.Header.Set("Authorization", token)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Header().Get("WWW-Authenticate"))
	}
	// Output:
	// 401 Bearer
	// 401 Bearer error="invalid_token", error_description="The token is malformed."
	// 200
}

func ExampleFromContext() {
	_, err := oidc.FromContext(context.Background())
	fmt.Println(err)
	// Output: oidc: context without an identity: scope: denied
}
