package oidc

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// Verifier verifies the tokens of one issuer. It is safe for concurrent use.
type Verifier struct {
	o         Options
	audiences []string
	parser    *jwt.Parser
	keys      *keySet
}

// New returns a verifier of the issuer's tokens for audience, the value of aud or,
// with Cognito, the id of the app client. Close it after use.
//
// issuer is the exact URL in the iss of its tokens: https, or http on loopback. New
// fetches the issuer's configuration and keys with ctx, which may end afterwards.
// It returns [ErrUnavailable] if they can't be fetched. Every other error is about an
// invalid argument or option.
func New(ctx context.Context, issuer, audience string, o *Options) (*Verifier, error) {
	opt, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if audience == "" {
		return nil, invalidf("audience: must not be empty")
	}
	base, err := checkURL("issuer", issuer)
	if err != nil {
		return nil, err
	}
	if base.RawQuery != "" || base.ForceQuery {
		return nil, invalidf("issuer %.200q: must not have a query", issuer)
	}
	f := newFetcher(opt.Client)
	uri := opt.KeySet
	if uri != "" {
		if _, err := checkURL("key set", uri); err != nil {
			return nil, err
		}
	} else if uri, err = discoverKeySet(ctx, f, base, issuer); err != nil {
		return nil, err
	}
	keys, err := newKeySet(ctx, f, uri)
	if err != nil {
		return nil, err
	}
	return &Verifier{
		o:         opt,
		audiences: append([]string{audience}, opt.Audiences...),
		parser: jwt.NewParser(
			jwt.WithValidMethods([]string{jwt.SigningMethodRS256.Alg()}),
			jwt.WithStrictDecoding(),
			jwt.WithExpirationRequired(),
			jwt.WithIssuedAt(),
			jwt.WithIssuer(issuer),
			jwt.WithLeeway(opt.Leeway),
		),
		keys: keys,
	}, nil
}

// NewCognito returns a verifier of the tokens of a Cognito user pool for one app
// client. It calls [New] with the pool's issuer, and by default accepts ID tokens and
// access tokens.
func NewCognito(ctx context.Context, poolID, clientID string, o *Options) (*Verifier, error) {
	if !poolIDs.MatchString(poolID) {
		return nil, invalidf("user pool %.80q: must be like eu-central-1_AbCdEf123", poolID)
	}
	region, _, _ := strings.Cut(poolID, "_")
	domain := "amazonaws.com"
	if strings.HasPrefix(region, "cn-") {
		domain = "amazonaws.com.cn"
	}
	var cognito Options
	if o != nil {
		cognito = *o
	}
	if len(cognito.TokenUse) == 0 {
		cognito.TokenUse = []TokenUse{IDToken, AccessToken}
	}
	return New(ctx, fmt.Sprintf("https://cognito-idp.%s.%s/%s", region, domain, poolID), clientID, &cognito)
}

// poolIDs matches the id of a pool, a region and a name:
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_UserPoolType.html.
var poolIDs = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)+_[0-9A-Za-z]{1,40}$`)

// Close stops a fetch of keys and waits for it. Later calls of Verify return
// [ErrUnavailable]. Close may be called more than once.
func (v *Verifier) Close() error {
	v.keys.stop()
	return nil
}

// Verify returns the identity in token, a JWT in compact form without "Bearer ". It
// returns a *[TokenError] if the token is invalid, and [ErrUnavailable] if the
// issuer's keys can't be fetched or v has been closed. It waits up to 5 seconds for a
// fetch, and returns ctx's error if ctx ends first.
func (v *Verifier) Verify(ctx context.Context, token string) (Identity, error) {
	if len(token) > maxToken {
		return Identity{}, rejectToken(reasonTooLarge)
	}
	if strings.Contains(token, "\r") || strings.Contains(token, "\n") {
		// The decoder skips them and would accept one token in many spellings.
		return Identity{}, rejectToken(reasonMalformed)
	}
	c := claims{}
	t, err := v.parser.ParseWithClaims(token, c, func(t *jwt.Token) (any, error) {
		if err := checkHeader(t.Header); err != nil {
			return nil, err
		}
		return v.keys.findKey(ctx, t)
	})
	if err != nil {
		return Identity{}, mapParserError(t, err)
	}
	return v.checkClaims(token, c)
}

// checkClaims returns the identity of claims whose signature, issuer and times the
// parser has verified.
func (v *Verifier) checkClaims(token string, c claims) (Identity, error) {
	if err := checkPayload(token); err != nil {
		return Identity{}, err
	}
	if err := checkDates(c); err != nil {
		return Identity{}, err
	}
	if err := v.checkAudience(c); err != nil {
		return Identity{}, err
	}
	return v.makeIdentity(c)
}

// checkHeader rejects headers that change the meaning of the payload or name
// another key.
func checkHeader(h map[string]any) error {
	for _, name := range []string{"crit", "jku", "jwk", "x5u", "x5c", "b64", "zip", "enc"} {
		if _, ok := h[name]; ok {
			return rejectClaim(reasonBadHeader, name, "")
		}
	}
	if typ, ok := h["typ"]; ok {
		// A logout token (logout+jwt) is signed with the same key for the same audience.
		s, _ := typ.(string)
		switch strings.TrimPrefix(strings.ToLower(s), "application/") {
		case "jwt", "at+jwt":
		default:
			return rejectClaim(reasonBadHeader, "typ", "is neither JWT nor at+jwt")
		}
	}
	if kid, _ := h["kid"].(string); kid == "" {
		return rejectClaim(reasonBadHeader, "kid", "is missing")
	}
	return nil
}

// mapParserError maps an error of the parser, whose text contains parts of the
// token.
func mapParserError(t *jwt.Token, err error) error {
	if e, ok := errors.AsType[*TokenError](err); ok {
		return e
	}
	if e, ok := errors.AsType[*keysError](err); ok {
		return e.err
	}
	if t == nil || errors.Is(err, jwt.ErrTokenMalformed) {
		return rejectToken(reasonMalformed)
	}
	if t.Method == nil || t.Method.Alg() != jwt.SigningMethodRS256.Alg() {
		return rejectToken(reasonWrongAlgorithm)
	}
	for _, m := range []struct {
		from, to error
	}{
		{jwt.ErrTokenSignatureInvalid, rejectToken(reasonBadSignature)},
		{jwt.ErrTokenInvalidIssuer, rejectToken(reasonWrongIssuer)},
		{jwt.ErrTokenExpired, rejectToken(reasonExpired)},
		{jwt.ErrTokenNotValidYet, rejectClaim(reasonNotYet, "nbf", "")},
		{jwt.ErrTokenUsedBeforeIssued, rejectClaim(reasonNotYet, "iat", "")},
		{jwt.ErrTokenRequiredClaimMissing, rejectClaim(reasonBadClaim, "iss or exp", "is missing")},
		{jwt.ErrInvalidType, rejectClaim(reasonBadClaim, "iss, exp, nbf or iat", "is of a wrong type")},
	} {
		if errors.Is(err, m.from) {
			return m.to
		}
	}
	return rejectToken(reasonMalformed)
}

func (v *Verifier) checkAudience(c claims) error {
	if len(v.o.TokenUse) == 0 {
		return v.checkAud(c)
	}
	use, _ := c["token_use"].(string)
	if !slices.Contains(v.o.TokenUse, TokenUse(use)) {
		return rejectToken(reasonWrongUse)
	}
	if TokenUse(use) == IDToken {
		return v.checkAud(c)
	}
	client, _ := c["client_id"].(string)
	if !slices.Contains(v.audiences, client) {
		return rejectClaim(reasonWrongAudience, "client_id", "")
	}
	if _, ok := c["aud"]; ok { // an access token for a resource
		return v.checkAud(c)
	}
	return nil
}

func (v *Verifier) checkAud(c claims) error {
	named, err := c.GetAudience()
	if err != nil || !slices.ContainsFunc(named, func(a string) bool { return slices.Contains(v.audiences, a) }) {
		return rejectClaim(reasonWrongAudience, "aud", "")
	}
	return nil
}
