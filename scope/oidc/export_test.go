package oidc

import (
	"encoding/base64"

	"github.com/golang-jwt/jwt/v5"
)

// Read is Verify for a payload whose signature, issuer and times are taken to be right.
func (v *Verifier) Read(payload string) (Identity, error) {
	encode := base64.RawURLEncoding.EncodeToString
	token := encode([]byte(`{"alg":"RS256"}`)) + "." + encode([]byte(payload)) + "."
	c := jwt.MapClaims{}
	if t, _, err := v.parser.ParseUnverified(token, c); err != nil {
		return Identity{}, explain(t, err)
	}
	return v.admit(token, c)
}
