// Package signin tells the bookshelf's pages who the person is.
//
// GET /api/sign-in answers {kind, tenant, user}. With the kind "choice", requests without a token are from that user,
// and a page may get a token for anybody from POST /api/dev/token ([Choice]).
package signin
