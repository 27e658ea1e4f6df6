// Package issuer is an OpenID Connect issuer for made-up users, inside the bookshelf's own process: whoever asks gets
// a token for the tenant and user that they name. It is there so that the bookshelf, on one machine, checks tokens by
// the same code as against a real issuer.
//
//	iss, err := issuer.Open(dataDir, "http://127.0.0.1:8080/issuer", nil)
//	verifier, err := iss.Verifier(ctx, &oidc.Options{Anonymous: &demo})
//	mux.Handle("/issuer/", iss.Handler())
//	mux.Handle("/api/dev/token", iss.TokenHandler())
//
// An [Issuer] keeps its key in the data directory, so tokens outlive a restart of the server, as long as its URL is
// the same. Its tokens look like Cognito's ID tokens: custom:tenant_id, sub, token_use, and the roles as
// cognito:groups.
//
// What the package does not do: it asks for no password and knows no users. It must be reachable from the machine
// itself only, and from no page of another site: the server's Host check and cross-origin protection see to that.
package issuer
