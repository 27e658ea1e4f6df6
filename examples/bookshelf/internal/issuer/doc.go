// Package issuer is an OpenID Connect issuer for made-up users, inside the bookshelf's own process. It issues a token for
// any requested tenant and user. With it, the bookshelf on one machine checks tokens by the same code as against a real
// issuer.
//
//	iss, err := issuer.Open(dataDir, "http://127.0.0.1:8080/issuer", nil)
//	verifier, err := iss.Verifier(ctx, &oidc.Options{Anonymous: &demo})
//	mux.Handle("/issuer/", iss.Handler())
//	mux.Handle("/api/dev/token", iss.TokenHandler())
//
// An [Issuer] stores its key in the data directory, so tokens stay valid after a restart if its URL is unchanged. Its
// tokens look like Cognito's ID tokens: custom:tenant_id, sub, token_use, and the roles as cognito:groups.
//
// The issuer does not authenticate anybody. It must be reachable only from this machine, and not from pages of other
// sites. The server's Host check and cross-origin protection ensure that.
package issuer
