package oidc

import (
	"encoding/base64"

	"github.com/golang-jwt/jwt/v5"
)

// Read is Verify for a payload without checks of its signature, issuer and times.
func (v *Verifier) Read(payload string) (Identity, error) {
	encode := base64.RawURLEncoding.EncodeToString
	token := encode([]byte(`{"alg":"RS256"}`)) + "." + encode([]byte(payload)) + "."
	c := jwt.MapClaims{}
	if t, _, err := v.parser.ParseUnverified(token, c); err != nil {
		return Identity{}, mapParserError(t, err)
	}
	return v.checkClaims(token, c)
}

var (
	ErrClosed     = errClosed
	ErrInvalid    = errInvalid
	ErrNoIdentity = errNoIdentity
)

const (
	MaxToken        = maxToken
	MaxLeeway       = maxLeeway
	FetchTimeout    = fetchTimeout
	RefetchInterval = refetchInterval
	KeyAge          = keyAge
	MaxKeyAge       = maxKeyAge

	Malformed      = reasonMalformed
	TooLarge       = reasonTooLarge
	WrongAlgorithm = reasonWrongAlgorithm
	BadHeader      = reasonBadHeader
	UnknownKey     = reasonUnknownKey
	BadSignature   = reasonBadSignature
	Expired        = reasonExpired
	NotYet         = reasonNotYet
	WrongIssuer    = reasonWrongIssuer
	WrongAudience  = reasonWrongAudience
	WrongUse       = reasonWrongUse
	BadClaim       = reasonBadClaim
)
