package oidc

import (
	"errors"
	"fmt"

	"github.com/carrel-go/carrel/scope"
)

var (
	// ErrToken is matched by every *[TokenError].
	ErrToken = errors.New("oidc: token rejected")

	// ErrNoToken is returned for a request without a bearer token.
	ErrNoToken = errors.New("oidc: missing bearer token")

	// ErrUnavailable is returned if the issuer's configuration or keys can't be
	// fetched. The token may be valid; retry later.
	ErrUnavailable = errors.New("oidc: issuer is not available")

	// ErrInvalid is returned for an invalid argument or option. The text names it
	// and the accepted values.
	ErrInvalid = errors.New("oidc: invalid")

	// ErrClosed is returned once the Verifier has been closed.
	ErrClosed = errors.New("oidc: verifier is closed")

	// ErrNoIdentity is returned by [FromContext] for a context without an Identity.
	// It wraps [scope.ErrDenied].
	ErrNoIdentity = fmt.Errorf("oidc: context without an identity: %w", scope.ErrDenied)
)

// Reason completes the sentence "The token …", for example "has expired". It does
// not contain any part of the token, so a client may see it.
type Reason string

const (
	reasonMalformed      Reason = "is malformed"
	reasonTooLarge       Reason = "is too large"
	reasonWrongAlgorithm Reason = "is not signed with RS256"
	reasonBadHeader      Reason = "has a header that is not accepted"
	reasonUnknownKey     Reason = "is signed with a key that is unknown"
	reasonBadSignature   Reason = "has a wrong signature"
	reasonExpired        Reason = "has expired"
	reasonNotYet         Reason = "is not valid yet"
	reasonWrongIssuer    Reason = "is of another issuer"
	reasonWrongAudience  Reason = "is for another audience"
	reasonWrongUse       Reason = "is for another use"
	reasonBadClaim       Reason = "has a claim that is not accepted"
)

// TokenError describes why a token was rejected. It does not contain any part of
// the token, and no values of claims, so it is safe to log.
type TokenError struct {
	Reason Reason

	// Claim is the name of the invalid claim or header, or "". It is a name that
	// the Verifier knows.
	Claim string

	// Detail completes the sentence "The claim …", such as "is missing", or is "".
	Detail string
}

func (e *TokenError) Error() string {
	switch {
	case e.Claim == "":
		return fmt.Sprintf("%v: it %s", ErrToken, e.Reason)
	case e.Detail == "":
		return fmt.Sprintf("%v: it %s: %s", ErrToken, e.Reason, e.Claim)
	}
	return fmt.Sprintf("%v: it %s: %s %s", ErrToken, e.Reason, e.Claim, e.Detail)
}

// Is reports whether target is [ErrToken].
func (e *TokenError) Is(target error) bool { return target == ErrToken }

func reject(r Reason) error { return &TokenError{Reason: r} }

func rejectClaim(r Reason, claim, detail string) error {
	return &TokenError{Reason: r, Claim: claim, Detail: detail}
}

func invalidf(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}

func unavailablef(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrUnavailable, fmt.Errorf(format, args...))
}
