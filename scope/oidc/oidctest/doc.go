// Package oidctest is an OpenID Connect issuer for tests and development. It signs anybody in without a password: never
// use it in production.
//
//	iss, err := oidctest.New(nil) // on a free loopback port
//	defer iss.Close()
//	v, err := oidc.New(ctx, iss.URL(), iss.ClientID(), &oidc.Options{Client: iss.Client()})
//	token, err := iss.Token(map[string]any{"sub": "ann", "custom:tenant_id": "acme"})
//
// [Issuer.Token] makes a token with any claims. [Issuer.Rotate] and [Issuer.Withdraw] replace the signing key.
//
// # Browsers
//
// A browser signs in with the authorization code flow and PKCE (RFC 6749, RFC 7636), as with any issuer whose
// configuration it reads:
//
//   - The authorize endpoint shows a page with a button for each of Options.Users. A test without a browser posts the
//     form field user, with a user's name, to the same URL.
//   - The token endpoint answers grants of the types authorization_code and refresh_token. A code lives for a minute
//     and a refresh token for a day; both are used once.
//   - The end_session endpoint revokes the user's refresh tokens. The issuer doesn't have a session: the authorize page
//     asks each time.
//
// The only client is public. PKCE with S256 is required, and redirects lead to a loopback address. The ID token and the
// access token have the user's claims and, like Cognito's, token_use.
//
// # Limits
//
// The issuer listens on loopback, and [Issuer.Handler] answers 403 to other addresses and to requests whose Host is not
// that of the issuer's URL. Codes and refresh tokens are in memory, at most 1,000 of each; the oldest are dropped. The
// package doesn't have a userinfo endpoint, client secrets, consent or sessions.
package oidctest
