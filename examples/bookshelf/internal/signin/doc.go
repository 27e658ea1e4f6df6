// Package signin tells the bookshelf's pages who the person is, and signs people in at an OIDC issuer.
//
// GET /api/sign-in answers {kind, …}:
//
//   - "choice": requests without a token are from {tenant, user}, and a page may get a token for anybody from POST
//     /api/dev/token ([Choice])
//   - "fixed": all requests are from {tenant, user} ([Fixed])
//   - "issuer": people sign in at {issuer} ([Service]); session says whether this browser has signed in
//
// # Sign-in
//
// A [Service] is the client of the issuer: authorization code with PKCE, state and nonce (RFC 6749, RFC 7636, OpenID
// Connect Core 1.0), so a page needs neither the issuer's origin in its content security policy nor crypto.subtle.
//
//	POST /sign-in/start   {return}: answers {url} of the issuer's page; return is a path of this server
//	GET  /sign-in/callback    the redirect URI; it leads to the path, or to /sign-in#reason if the sign-in fails
//	POST /api/sign-in/token   {token, expires_at, tenant, user, name, roles} of the person, or 401
//	POST /api/sign-in/end     signs out here and revokes the refresh token; answers {url}, which signs out at the issuer
//
// The token is the issuer's ID token. A page keeps it in memory and sends it with each request. Between two pages, the
// person is kept by cookies that no script can read and that only the paths below /api/sign-in receive (HttpOnly,
// SameSite=Strict, Secure with https): the ID token until it expires, and the refresh token, if the issuer has given
// one. A refresh token is replaced when the issuer rotates it. The service keeps nothing in memory, so any process of
// the server can answer.
//
// The client is public: it does not have a secret. The handlers rely on the server's cross-origin protection.
package signin
