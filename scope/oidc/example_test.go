package oidc_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/oidc"
)

// The issuer of these examples is an http.RoundTripper. A real one does not need Options.Client.
func ExampleNew() {
	ctx := context.Background()
	issuer := newIssuer()
	v, err := oidc.New(ctx, "https://issuer.example", "bookshelf", &oidc.Options{
		TenantClaim:  "tenant",
		GroupsClaim:  "roles",
		TenantGroups: []string{"ops"},
		Client:       &http.Client{Transport: issuer},
	})
	if err != nil {
		panic(err)
	}
	defer v.Close()

	id, err := v.Verify(ctx, sign(jwt.MapClaims{
		"iss": "https://issuer.example", "aud": "bookshelf", "exp": time.Now().Add(time.Hour).Unix(),
		"tenant": "acme", "sub": "u1", "roles": []string{"ops"},
	}, nil))
	fmt.Println(id.User, id.Shared, id.Tenant, err)

	_, err = v.Verify(ctx, sign(jwt.MapClaims{
		"iss": "https://issuer.example", "aud": "bookshelf", "exp": time.Now().Add(time.Hour).Unix(),
		"tenant": "acme/../globex", "sub": "u1",
	}, nil))
	fmt.Println(err)
	// Output:
	// tenant=acme/user=u1/ tenant=acme/shared/ tenant=acme/ <nil>
	// oidc: token rejected: it has a claim that is not accepted: tenant has a character other than letters, digits, _ and -
}

func ExampleNewCognito() {
	_, err := oidc.NewCognito(context.Background(), "not a pool", "app-client", nil)
	fmt.Println(err)
	// Output: oidc: invalid user pool "not a pool": must be like eu-central-1_AbCdEf123
}

func ExampleVerifier_Middleware() {
	v, err := oidc.New(context.Background(), "https://issuer.example", "bookshelf", &oidc.Options{
		Client: &http.Client{Transport: newIssuer()},
	})
	if err != nil {
		panic(err)
	}
	defer v.Close()
	h := v.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, err := scope.FromContext(r.Context())
		fmt.Fprintln(w, s, err)
	}))

	for _, token := range []string{"", "Bearer forged", "Bearer " + sign(payload(nil), nil)} {
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
