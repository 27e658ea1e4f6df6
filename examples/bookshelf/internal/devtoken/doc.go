// Package devtoken adds two things to carrel's test issuer for the bookshelf: a key that is kept in the data directory,
// so that tokens stay valid after a restart, and POST /api/dev/token, which issues a token for any requested tenant and
// user.
//
//	iss, err := devtoken.Open(dataDir, "http://127.0.0.1:8080/issuer")
//	mux.Handle("/issuer/", iss.Handler())
//	mux.Handle("/api/dev/token", devtoken.Handler(iss))
//
// The tokens look like Cognito's ID tokens: custom:tenant_id, sub, token_use, and the roles as cognito:groups. The
// handler does not authenticate anybody, so it must be reachable only from this machine, and not from pages of other
// sites. The server's Host check and cross-origin protection ensure that.
package devtoken
