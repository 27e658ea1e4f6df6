package oidc

import (
	"encoding/base64"
	"errors"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/golang-jwt/jwt/v5"

	"github.com/carrel-go/carrel/internal/strictjson"
	"github.com/carrel-go/carrel/scope"
)

// claims is a token's payload.
type claims = jwt.MapClaims

// checkPayload rejects a payload that two readers could read differently, above all one
// with a duplicate claim (RFC 7519 section 4). The parser keeps the last of two claims;
// another reader may see another user. Invalid UTF-8 is accepted here: readID and the
// grammar of ids reject it where it matters.
func checkPayload(token string) error {
	_, rest, _ := strings.Cut(token, ".")
	encoded, _, _ := strings.Cut(rest, ".")
	payload, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil || strictjson.Check(strictjson.Repair(payload)) != nil {
		return rejectToken(reasonMalformed)
	}
	return nil
}

// checkDates rejects a passed expiry, without the parser's leeway, and times beyond
// the range of time.Time.
func checkDates(c claims) error {
	for _, name := range []string{"exp", "nbf", "iat"} {
		if f, ok := c[name].(float64); ok && math.Abs(f) > 1<<40 {
			return rejectClaim(reasonBadClaim, name, "is out of range")
		}
	}
	exp, err := c.GetExpirationTime()
	if err != nil || exp == nil {
		return rejectClaim(reasonBadClaim, "exp", "is missing")
	}
	if !time.Now().Before(exp.Time) {
		return rejectToken(reasonExpired)
	}
	return nil
}

// makeIdentity returns the scopes of verified claims.
func (v *Verifier) makeIdentity(c claims) (Identity, error) {
	tenantID, err := v.readID(c, v.o.TenantClaim)
	if err != nil {
		return Identity{}, err
	}
	userID, err := v.readID(c, v.o.UserClaim)
	if err != nil {
		return Identity{}, err
	}
	tenant, err := scope.Tenant(tenantID)
	if err != nil {
		return Identity{}, rejectID(v.o.TenantClaim, err)
	}
	id := Identity{}
	if id.User, err = tenant.User(userID); err != nil {
		return Identity{}, rejectID(v.o.UserClaim, err)
	}
	if id.Shared, err = tenant.Shared(); err != nil {
		return Identity{}, err
	}
	if id.Groups, err = v.readGroups(c); err != nil {
		return Identity{}, err
	}
	if slices.ContainsFunc(id.Groups, func(g string) bool { return slices.Contains(v.o.TenantGroups, g) }) {
		id.Tenant = tenant
	}
	return id, nil
}

func (v *Verifier) readID(c claims, name string) (string, error) {
	value, ok := c[name]
	if !ok {
		return "", rejectClaim(reasonBadClaim, name, "is missing")
	}
	s, ok := value.(string)
	if !ok {
		return "", rejectClaim(reasonBadClaim, name, "is not a string")
	}
	if s == "" {
		return "", rejectClaim(reasonBadClaim, name, "is empty")
	}
	if !v.o.EncodeIDs {
		return s, nil
	}
	if strings.ContainsRune(s, utf8.RuneError) {
		// The JSON decoder replaces invalid text by this rune, so two different ids
		// would become one.
		return "", rejectClaim(reasonBadClaim, name, "is not valid text")
	}
	return scope.EncodeID(s)
}

// readGroups reads the groups claim: an array of strings, one string or null.
func (v *Verifier) readGroups(c claims) ([]string, error) {
	switch value := c[v.o.GroupsClaim].(type) {
	case nil:
		return nil, nil
	case string:
		return []string{value}, nil
	case []any:
		var groups []string
		for _, g := range value {
			s, ok := g.(string)
			if !ok {
				return nil, rejectClaim(reasonBadClaim, v.o.GroupsClaim, "is not an array of strings")
			}
			groups = append(groups, s)
		}
		return groups, nil
	}
	return nil, rejectClaim(reasonBadClaim, v.o.GroupsClaim, "is neither an array of strings nor a string")
}

// rejectID returns a TokenError with the reason why a claim's value is not an id, and
// without the value.
func rejectID(claim string, err error) error {
	detail := "is not an id"
	if e, ok := errors.AsType[*scope.InvalidError](err); ok {
		detail = e.Reason
	}
	return rejectClaim(reasonBadClaim, claim, detail)
}
