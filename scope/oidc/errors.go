package oidc

import (
	"errors"
	"fmt"

	"github.com/carrel-go/carrel/scope"
)

var (
	// ErrToken matches every *[TokenError].
	ErrToken = errors.New("oidc: token rejected")

	// ErrNoToken is returned for a request without a bearer token.
	ErrNoToken = errors.New("oidc: missing bearer token")

	// ErrUnavailable is returned if the issuer's configuration or keys can't be
	// fetched, and by a Verifier that has been closed. The token may be valid; retry
	// later.
	ErrUnavailable = errors.New("oidc: issuer is not available")

	errClosed     = fmt.Errorf("%w: verifier is closed", ErrUnavailable)
	errInvalid    = errors.New("oidc: invalid")
	errNoIdentity = fmt.Errorf("oidc: context without an identity: %w", scope.ErrDenied)
)

// The values of TokenError.Reason.
const (
	reasonMalformed      = "is malformed"
	reasonTooLarge       = "is too large"
	reasonWrongAlgorithm = "is not signed with RS256"
	reasonBadHeader      = "has a header that is not accepted"
	reasonUnknownKey     = "is signed with a key that is unknown"
	reasonBadSignature   = "has a wrong signature"
	reasonExpired        = "has expired"
	reasonNotYet         = "is not valid yet"
	reasonWrongIssuer    = "is of another issuer"
	reasonWrongAudience  = "is for another audience"
	reasonWrongUse       = "is for another use"
	reasonBadClaim       = "has a claim that is not accepted"
)

// TokenError describes why a token was rejected. It does not contain any part of
// the token, and no values of claims, so it is safe to log.
type TokenError struct {
	// Reason completes the sentence "The token …", for example "has expired". It
	// does not contain any part of the token, so a client may see it.
	Reason string

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

func rejectToken(reason string) error { return &TokenError{Reason: reason} }

func rejectClaim(reason, claim, detail string) error {
	return &TokenError{Reason: reason, Claim: claim, Detail: detail}
}

func invalidf(format string, args ...any) error {
	return fmt.Errorf("%w %s", errInvalid, fmt.Sprintf(format, args...))
}

func unavailablef(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrUnavailable, fmt.Errorf(format, args...))
}
