package signin

import (
	"context"
	"errors"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/oauth2"

	"github.com/carrel-go/carrel/scope/oidc"
)

// verified is an ID token with its claims.
type verified struct {
	token, nonce, name string
	expires            time.Time
	identity           oidc.Identity
}

// verify verifies the ID token in the issuer's answer.
func (s *Service) verify(ctx context.Context, t *oauth2.Token) (verified, error) {
	raw, ok := t.Extra("id_token").(string)
	if !ok || raw == "" {
		return verified{}, errors.New("the issuer's answer does not have an ID token")
	}
	return s.verifyToken(ctx, raw)
}

func (s *Service) verifyToken(ctx context.Context, raw string) (verified, error) {
	id, err := s.o.Verifier.Verify(ctx, raw)
	if err != nil {
		return verified{}, err
	}
	claims := jwt.MapClaims{} // of a token that has been verified
	if _, _, err := jwt.NewParser().ParseUnverified(raw, claims); err != nil {
		return verified{}, err
	}
	expires, err := claims.GetExpirationTime()
	if err != nil || expires == nil {
		return verified{}, errors.New("the token does not have an expiry")
	}
	v := verified{token: raw, expires: expires.Time, identity: id}
	v.nonce, _ = claims["nonce"].(string)
	for _, claim := range []string{"name", "preferred_username", "cognito:username", "email"} {
		if name, _ := claims[claim].(string); name != "" && v.name == "" {
			v.name = name
		}
	}
	return v, nil
}
