// Package oidc turns a bearer token into an [Identity]: the scopes in which its
// holder may act.
//
// A [Verifier] verifies the tokens of one issuer with the keys that this issuer
// publishes. Two claims of a verified token name the tenant and the user:
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
// [New] supports every issuer with OpenID Connect Discovery, and [NewCognito] the
// ID and access tokens of a Cognito user pool. Use [Verifier.Verify] for
// transports other than net/http.
//
// # Tokens
//
// A token is a JWT in compact form of at most 8 KiB, signed with RS256 by a key of
// at least 2,048 bits that the issuer publishes under its kid. It must have exactly
// the issuer's URL in iss, an expiry in the future, an accepted audience, and nbf
// and iat, if present, in the past within Options.Leeway. A Verifier rejects the
// headers crit, jku, jwk, x5u, x5c, b64, zip and enc, and a typ other than JWT or
// at+jwt. A claim that names a tenant or a user must be a string in the grammar of
// scope ids, unless Options.EncodeIDs encodes them. Verify returns a *[TokenError]
// for an invalid token, without any part of it.
//
// The tenant claim decides which data a request may access, so users must not be
// able to write it. In Cognito, make the attribute immutable or omit it from the
// app client's writable attributes. Cognito puts custom attributes into ID tokens;
// access tokens need a trigger before token generation.
//
// # Keys
//
// Keys that cannot verify RS256 are skipped: malformed keys, keys of other types
// and uses, and different keys with one kid. A key that is published twice counts
// once.
//
// A Verifier fetches the keys again if a token names an unknown one, at most every
// 30 seconds, and if they are older than an hour. A new key is therefore accepted
// within 30 seconds. A withdrawn key is rejected after an hour, or after 24 hours
// if the issuer can't be reached.
//
// # HTTP statuses
//
// [Verifier.Middleware] answers these errors itself; with Verify, do the same:
//
//   - 401 with WWW-Authenticate: [ErrNoToken], and [ErrToken] (see [TokenError])
//   - 503 with Retry-After: [ErrUnavailable]
//   - 500: scope.ErrDenied of [FromContext], in a handler that Middleware does not wrap
//
// The log then names the claim that was rejected: see Options.Logger.
//
// Package oidctest is an issuer for tests and development.
//
// The package does not sign users in, read cookies or query parameters, check
// whether a token has been revoked, or decrypt tokens. Its rules are those of RFC
// 7519 (JWT), RFC 8725 (best current practices), RFC 6750 (bearer tokens), OpenID
// Connect Discovery 1.0 and, for Cognito,
//
// https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html.
package oidc
