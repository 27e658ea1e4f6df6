package oidctest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/golang-jwt/jwt/v5"
)

const (
	keyBits = 2048
	maxKeys = 4 // published at once
)

type signingKey struct {
	private *rsa.PrivateKey
	public  publicKey
}

// publicKey is an entry of a JSON Web Key Set (RFC 7517, RFC 7518 section 6.3.1).
type publicKey struct {
	Kty string `json:"kty"`
	Use string `json:"use"`
	Alg string `json:"alg"`
	Kid string `json:"kid"`
	N   string `json:"n"`
	E   string `json:"e"`
}

// Rotate signs with another key from now on. The earlier keys stay published until [Issuer.Withdraw]; of more than 4
// keys, the oldest are dropped. If key is nil, Rotate generates one. It returns an error if key has fewer than 2,048
// bits.
func (i *Issuer) Rotate(key *rsa.PrivateKey) error {
	if key == nil {
		generated, err := rsa.GenerateKey(rand.Reader, keyBits)
		if err != nil {
			return fmt.Errorf("oidctest: generate a key: %w", err)
		}
		key = generated
	}
	if key.N.BitLen() < keyBits {
		return fmt.Errorf("oidctest: invalid key of %d bits: must have at least %d", key.N.BitLen(), keyBits)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	next := signingKey{key, newPublicKey(&key.PublicKey)}
	i.keys = append(slices.DeleteFunc(i.keys, func(k signingKey) bool { return k.public == next.public }), next)
	i.keys = i.keys[max(0, len(i.keys)-maxKeys):]
	return nil
}

// Withdraw stops publishing all keys but the one that signs.
func (i *Issuer) Withdraw() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys = i.keys[len(i.keys)-1:]
}

func (i *Issuer) publishedKeys() []publicKey {
	i.mu.Lock()
	defer i.mu.Unlock()
	var keys []publicKey
	for _, k := range i.keys {
		keys = append(keys, k.public)
	}
	return keys
}

// parseToken returns the claims of a token that this issuer has signed, also if it has expired.
func (i *Issuer) parseToken(token string) (jwt.MapClaims, error) {
	claims := jwt.MapClaims{}
	parser := jwt.NewParser(jwt.WithValidMethods([]string{jwt.SigningMethodRS256.Alg()}), jwt.WithoutClaimsValidation())
	_, err := parser.ParseWithClaims(token, claims, func(t *jwt.Token) (any, error) {
		i.mu.Lock()
		defer i.mu.Unlock()
		for _, k := range i.keys {
			if k.public.Kid == t.Header["kid"] {
				return &k.private.PublicKey, nil
			}
		}
		return nil, errors.New("unknown key")
	})
	return claims, err
}

// newPublicKey returns the public half of a key. Its id is the thumbprint of RFC 7638, which depends only on the key.
func newPublicKey(k *rsa.PublicKey) publicKey {
	encode := base64.RawURLEncoding.EncodeToString
	p := publicKey{Kty: "RSA", Use: "sig", Alg: "RS256", N: encode(k.N.Bytes()), E: encode(big.NewInt(int64(k.E)).Bytes())}
	sum := sha256.Sum256(fmt.Appendf(nil, `{"e":%q,"kty":"RSA","n":%q}`, p.E, p.N))
	p.Kid = encode(sum[:])
	return p
}
