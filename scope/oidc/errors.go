package oidc

import (
	"errors"
	"fmt"

	"github.com/carrel-go/carrel/scope"
)

var (
	// ErrToken is what every *[TokenError] is.
	ErrToken = errors.New("oidc: token refused")

	// ErrNoToken: the request brings no bearer token.
	ErrNoToken = errors.New("oidc: no bearer token")

	// ErrUnavailable: the issuer's configuration or keys could not be had, so
	// nothing can be said of the token. It may be tried again.
	ErrUnavailable = errors.New("oidc: the issuer is not available")

	// ErrInvalid: an argument or option of which no Verifier can be made. The
	// text says which.
	ErrInvalid = errors.New("oidc: invalid")

	// ErrClosed: the Verifier has been closed.
	ErrClosed = errors.New("oidc: verifier is closed")

	// ErrNoIdentity is the [scope.ErrDenied] that [FromContext] returns if the
	// context carries no Identity.
	ErrNoIdentity = fmt.Errorf("oidc: no identity in the context: %w", scope.ErrDenied)
)

// A Reason says what is wrong with a token, as the end of a sentence that
// begins with "the token". It is one of the constants, holds nothing of the
// token and may be shown to the client.
type Reason string

const (
	Malformed      Reason = "is malformed"
	TooLarge       Reason = "is too large"
	WrongAlgorithm Reason = "is not signed with RS256"
	BadHeader      Reason = "has a header that is not accepted"
	UnknownKey     Reason = "is signed with a key that is unknown"
	BadSignature   Reason = "has a wrong signature"
	Expired        Reason = "has expired"
	NotYet         Reason = "is not valid yet"
	WrongIssuer    Reason = "is of another issuer"
	WrongAudience  Reason = "is for another audience"
	WrongUse       Reason = "is for another use"
	BadClaim       Reason = "has a claim that is not accepted"
)

// TokenError says why a token was refused. It holds nothing of the token, no
// claim's value either: it is safe to log.
type TokenError struct {
	Reason Reason

	// Claim is the name of the claim or header that was looked at, one that the
	// Verifier knows; "" where the reason is about none.
	Claim string

	// Detail says what is wrong with it, such as "is missing"; may be "".
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

// Is reports that every TokenError is [ErrToken].
func (e *TokenError) Is(target error) bool { return target == ErrToken }

func refused(r Reason) error { return &TokenError{Reason: r} }

func refusedFor(r Reason, claim, detail string) error {
	return &TokenError{Reason: r, Claim: claim, Detail: detail}
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}

func unavailable(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrUnavailable, fmt.Errorf(format, args...))
}
