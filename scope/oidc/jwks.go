package oidc

import (
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"
)

// RFC 7518 section 3.3 requires 2,048 bits. A verification with more than 8,192
// costs too much.
const minBits, maxBits = 2048, 8192

// jwk holds the members of a JSON Web Key that are used (RFC 7517, RFC 7518
// section 6.3.1).
type jwk struct {
	Kty string   `json:"kty"`
	Use string   `json:"use"`
	Ops []string `json:"key_ops"`
	Alg string   `json:"alg"`
	Kid string   `json:"kid"`
	N   string   `json:"n"`
	E   string   `json:"e"`
}

// canVerify reports whether k is meant to verify RS256. Its numbers may still be
// unusable.
func (k jwk) canVerify() bool {
	return k.Kty == "RSA" && k.Kid != "" && (k.Use == "" || k.Use == "sig") && (k.Alg == "" || k.Alg == "RS256") &&
		(k.Ops == nil || slices.Contains(k.Ops, "verify"))
}

// parseKeys reads a key set. It skips unusable keys, as RFC 7517 section 5 asks:
// malformed, of an unknown type, for another use or out of range. A key that is
// there twice counts once. Different keys with one kid are all skipped: nothing
// says which of them the issuer means. It returns an error if no key is left.
func parseKeys(b []byte) (map[string]*rsa.PublicKey, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(b, &set); err != nil {
		return nil, err
	}
	byID := make(map[string]*rsa.PublicKey, len(set.Keys))
	for _, raw := range set.Keys {
		kid, key := parseKey(raw)
		if key == nil {
			continue
		}
		if other, ok := byID[kid]; ok && (other == nil || !key.Equal(other)) {
			key = nil // and stays nil: ambiguous
		}
		byID[kid] = key
	}
	for kid, key := range byID {
		if key == nil {
			delete(byID, kid)
		}
	}
	if len(byID) == 0 {
		return nil, fmt.Errorf("no usable RSA key of %d to %d bits for RS256", minBits, maxBits)
	}
	return byID, nil
}

// parseKey returns a nil key if raw is not a usable key.
func parseKey(raw json.RawMessage) (kid string, key *rsa.PublicKey) {
	var k jwk
	if err := json.Unmarshal(raw, &k); err != nil || !k.canVerify() {
		return "", nil
	}
	n, e := decodeUint(k.N), decodeUint(k.E)
	if bits := n.BitLen(); bits < minBits || bits > maxBits || n.Bit(0) == 0 {
		return "", nil
	}
	if bits := e.BitLen(); bits < 2 || bits > 31 || e.Bit(0) == 0 { // the exponents that crypto/rsa accepts
		return "", nil
	}
	return k.Kid, &rsa.PublicKey{N: n, E: int(e.Int64())}
}

// decodeUint reads a Base64urlUInt (RFC 7518 section 2), with padding or
// without. It returns 0 if s is malformed.
func decodeUint(s string) *big.Int {
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(s, "="))
	if err != nil {
		return new(big.Int)
	}
	return new(big.Int).SetBytes(b)
}
