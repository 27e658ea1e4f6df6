// Package oidc turns a bearer token into an [Identity]: the scopes in which its
// holder may act.
//
// A [Verifier] is bound to one issuer when it is made. It takes the keys from
// that issuer and from nowhere else, and two claims of a token that it has
// verified name the tenant and the user:
//
//	v, err := oidc.NewCognito(ctx, "eu-central-1_AbCdEf123", clientID, &oidc.Options{
//		TenantGroups: []string{"ops"},
//	})
//	defer v.Close()
//	mux.Handle("/api/", v.Middleware(api))
//
//	// in a handler
//	id, err := oidc.FromContext(r.Context())
//	session, err := id.User.Session(r.FormValue("session_id"))
//
// [New] serves any issuer that has OpenID Connect Discovery, [NewCognito] a
// Cognito user pool with its ID and access tokens. [Verifier.Verify] is for
// other transports than net/http.
//
// What a token must be: a JWT in compact form of at most [MaxToken] bytes,
// signed with RS256 by a key of at least 2,048 bits that the issuer publishes
// under the token's kid; iss exactly the issuer's URL; exp there and not
// passed, to the second; nbf and iat, where there, passed within
// [Options.Leeway]; the audience among those that are given. The headers crit,
// jku, jwk, x5u, x5c, b64, zip and enc are refused, and so is a typ other than
// JWT or at+jwt. A claim that names a tenant or a user must be a string, not
// empty, and of the grammar of scope ids, unless [Options.EncodeIDs] encodes
// them all. What is wrong with a token is a *[TokenError], which holds nothing
// of it.
//
// The claim that names the tenant decides whose data a request may touch, so
// no user may be able to write it. In Cognito make the attribute immutable, or
// leave it out of the app client's writable attributes. Cognito puts custom
// attributes into ID tokens; into access tokens they come by a trigger before
// token generation.
//
// Keys of the issuer's set that cannot verify RS256 are skipped: malformed keys,
// keys of other types and for other uses, and different keys with one kid. A key
// that is published twice counts once.
//
// Keys are fetched again when a token names an unknown one, at most once in
// [RefetchInterval] however many such tokens come, and when they are older than
// [KeyAge]. So a new key serves at once or [RefetchInterval] later, and a key
// that the issuer has withdrawn is refused after [KeyAge], or after
// [MaxKeyAge] where the issuer cannot be reached.
//
// What the package does not do: it signs nobody in, knows no cookies and no
// query parameters, asks no issuer whether a token has been revoked, and
// decrypts nothing. The rules are those of RFC 7519 (JWT), RFC 8725 (its best
// current practices), RFC 6750 (bearer tokens), OpenID Connect Discovery 1.0
// and, for Cognito,
// https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html.
package oidc
