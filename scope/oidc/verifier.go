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
	issuer    string
	audiences []string
	parser    *jwt.Parser
	keys      *keySet
}

// New returns the verifier of issuer's tokens for audience: the value that aud
// must name, for Cognito the id of the app client.
//
// The issuer is its URL as its tokens have it in iss, to the byte: https, or
// http on loopback. New reads the issuer's configuration and keys, and fails
// with [ErrUnavailable] where they cannot be had; ctx bounds that and nothing
// after it. Wrong arguments and options are [ErrInvalid].
func New(ctx context.Context, issuer, audience string, o *Options) (*Verifier, error) {
	v, err := newVerifier(ctx, issuer, audience, o)
	if err != nil {
		return nil, fmt.Errorf("oidc: new: %w", err)
	}
	return v, nil
}

// NewCognito returns the verifier of a Cognito user pool's tokens for one app
// client, by their ids. It is [New] with the pool's issuer and, where
// Options.TokenUse does not say, with ID tokens and access tokens.
func NewCognito(ctx context.Context, poolID, clientID string, o *Options) (*Verifier, error) {
	if !poolIDs.MatchString(poolID) {
		return nil, fmt.Errorf("oidc: new: %w", invalid("%.80q is not the id of a user pool", poolID))
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

// poolIDs is the grammar of a pool's id, the region and a name:
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_UserPoolType.html.
var poolIDs = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)+_[0-9A-Za-z]{1,40}$`)

func newVerifier(ctx context.Context, issuer, audience string, options *Options) (*Verifier, error) {
	o, err := options.settle()
	if err != nil {
		return nil, err
	}
	if audience == "" {
		return nil, invalid("no audience")
	}
	base, err := checkURL("the issuer", issuer)
	if err != nil {
		return nil, err
	}
	if base.RawQuery != "" || base.ForceQuery {
		return nil, invalid("the issuer %q has a query", issuer)
	}
	f := newFetcher(o.Client)
	uri := o.KeySet
	if uri != "" {
		if _, err := checkURL("the key set", uri); err != nil {
			return nil, err
		}
	} else if uri, err = discover(ctx, f, base, issuer); err != nil {
		return nil, err
	}
	keys, err := newKeySet(ctx, f, uri)
	if err != nil {
		return nil, err
	}
	return &Verifier{
		o:         o,
		issuer:    issuer,
		audiences: append([]string{audience}, o.Audiences...),
		parser: jwt.NewParser(
			jwt.WithValidMethods([]string{jwt.SigningMethodRS256.Alg()}),
			jwt.WithStrictDecoding(),
			jwt.WithExpirationRequired(),
			jwt.WithIssuedAt(),
			jwt.WithIssuer(issuer),
			jwt.WithLeeway(o.Leeway),
		),
		keys: keys,
	}, nil
}

// Close ends the fetching of keys and waits for it. What is called afterwards
// returns [ErrClosed]. Close may be called more than once.
func (v *Verifier) Close() error {
	v.keys.close()
	return nil
}

// Verify returns who token, a JWT in compact form without "Bearer ", speaks
// for. What is wrong with it is a *[TokenError]; [ErrUnavailable] says that the
// issuer's keys could not be had. Verify may wait for one fetch of the keys, at
// most [FetchTimeout], and ends with ctx.
func (v *Verifier) Verify(ctx context.Context, token string) (Identity, error) {
	if len(token) > MaxToken {
		return Identity{}, refused(TooLarge)
	}
	if strings.Contains(token, "\r") || strings.Contains(token, "\n") {
		// The decoder would skip them, and so accept one token in many spellings.
		return Identity{}, refused(Malformed)
	}
	c := claims{}
	t, err := v.parser.ParseWithClaims(token, c, func(t *jwt.Token) (any, error) {
		if err := checkHeader(t.Header); err != nil {
			return nil, err
		}
		return v.keys.find(ctx, t)
	})
	if err != nil {
		return Identity{}, explain(t, err)
	}
	return v.admit(token, c)
}

// admit makes the identity of claims whose signature, issuer and times the
// parser has found right.
func (v *Verifier) admit(token string, c claims) (Identity, error) {
	if err := checkPayload(token); err != nil {
		return Identity{}, err
	}
	if err := checkDates(c); err != nil {
		return Identity{}, err
	}
	if err := v.checkAudience(c); err != nil {
		return Identity{}, err
	}
	return v.identity(c)
}

// checkHeader refuses what could make a token mean something else than its
// payload under the issuer's key, and what names keys of its own.
func checkHeader(h map[string]any) error {
	for _, name := range []string{"crit", "jku", "jwk", "x5u", "x5c", "b64", "zip", "enc"} {
		if _, ok := h[name]; ok {
			return refusedFor(BadHeader, name, "")
		}
	}
	if typ, ok := h["typ"]; ok {
		// A logout token (logout+jwt) is signed with the same key for the same audience.
		s, _ := typ.(string)
		switch strings.TrimPrefix(strings.ToLower(s), "application/") {
		case "jwt", "at+jwt":
		default:
			return refusedFor(BadHeader, "typ", "is neither JWT nor at+jwt")
		}
	}
	if kid, _ := h["kid"].(string); kid == "" {
		return refusedFor(BadHeader, "kid", "is missing")
	}
	return nil
}

// explain makes one of our errors of one of the parser's, whose texts hold
// parts of the token.
func explain(t *jwt.Token, err error) error {
	if e, ok := errors.AsType[*TokenError](err); ok {
		return e
	}
	if e, ok := errors.AsType[*keysError](err); ok {
		return e.err
	}
	if t == nil || errors.Is(err, jwt.ErrTokenMalformed) {
		return refused(Malformed)
	}
	if t.Method == nil || t.Method.Alg() != jwt.SigningMethodRS256.Alg() {
		return refused(WrongAlgorithm)
	}
	for _, m := range []struct {
		is    error
		reads error
	}{
		{jwt.ErrTokenSignatureInvalid, refused(BadSignature)},
		{jwt.ErrTokenInvalidIssuer, refused(WrongIssuer)},
		{jwt.ErrTokenExpired, refused(Expired)},
		{jwt.ErrTokenNotValidYet, refusedFor(NotYet, "nbf", "")},
		{jwt.ErrTokenUsedBeforeIssued, refusedFor(NotYet, "iat", "")},
		{jwt.ErrTokenRequiredClaimMissing, refusedFor(BadClaim, "iss or exp", "is missing")},
		{jwt.ErrInvalidType, refusedFor(BadClaim, "iss, exp, nbf or iat", "is of a wrong type")},
	} {
		if errors.Is(err, m.is) {
			return m.reads
		}
	}
	return refused(Malformed)
}

func (v *Verifier) checkAudience(c claims) error {
	if len(v.o.TokenUse) == 0 {
		return v.checkAud(c)
	}
	use, _ := c["token_use"].(string)
	if !slices.Contains(v.o.TokenUse, TokenUse(use)) {
		return refused(WrongUse)
	}
	if TokenUse(use) == IDToken {
		return v.checkAud(c)
	}
	client, _ := c["client_id"].(string)
	if !slices.Contains(v.audiences, client) {
		return refusedFor(WrongAudience, "client_id", "")
	}
	if _, ok := c["aud"]; ok { // an access token that is bound to a resource
		return v.checkAud(c)
	}
	return nil
}

func (v *Verifier) checkAud(c claims) error {
	named, err := c.GetAudience()
	if err != nil || !slices.ContainsFunc(named, func(a string) bool { return slices.Contains(v.audiences, a) }) {
		return refusedFor(WrongAudience, "aud", "")
	}
	return nil
}
