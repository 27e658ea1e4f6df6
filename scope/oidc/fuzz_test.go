package oidc_test

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/oidc"
)

// FuzzVerify checks that Verify returns a complete identity or an error without parts of the token.
func FuzzVerify(f *testing.F) {
	good := sign(payload(nil), nil)
	head, rest, _ := strings.Cut(good, ".")
	body, sig, _ := strings.Cut(rest, ".")
	for _, seed := range []string{"", ".", "..", good, head + ".." + sig, head + "." + body + ".", body + "." + head + "." + sig, good + "=",
		sign(payload(nil), map[string]any{"kid": []int{1}, "crit": 1, "typ": nil}), signRaw("null"), signRaw("[]")} {
		f.Add(seed)
	}
	v := verifier(f, newIssuer(), nil)
	f.Fuzz(func(t *testing.T, token string) {
		id, err := v.Verify(t.Context(), token)
		if err == nil {
			require.True(t, strings.HasPrefix(token, head+"."), "only the issuer makes tokens")
			require.Equal(t, scope.UserLevel, id.User.Level())
			return
		}
		require.ErrorIs(t, err, oidc.ErrToken)
		require.Equal(t, oidc.Identity{}, id)
		require.Less(t, len(err.Error()), 200)
	})
}

// FuzzClaims reads any payload as the issuer's: the scopes that come of it are
// one user's of one tenant, as the claims have them. Nothing is signed: that
// would take all the time.
func FuzzClaims(f *testing.F) {
	for _, seed := range []string{
		withClaim(`"cognito:groups":["ops"]`), withClaim(`"x":{"a:b":"\":{","c":[1,{"d":2}]}`), withClaim(`"sub":"u2"`),
		withClaim(`"x":1`, "sub", `["u1"]`), withClaim(`"x":1`, "custom:tenant_id", `"a#b"`), withClaim(`"x":1`, "sub", `"\ud800"`),
		withClaim(`"x":"\":1,\"y\":2"`), "null", "{}", "[{}]", `{"exp":1e999}`, `{"a":1,"\u0061":2}`, `{"a":[{"b":1,"b":2}]}`, `{"a":[{"b":1},{"b":{}}]}`,
		"{\"\xac\xb2\":1,\"\xac\":2}", // the names differ by an invalid byte
	} {
		f.Add(seed)
	}
	i := newIssuer()
	plain := verifier(f, i, &oidc.Options{TenantGroups: []string{"ops"}})
	encoded := verifier(f, i, &oidc.Options{TenantGroups: []string{"ops"}, EncodeIDs: true})
	f.Fuzz(func(t *testing.T, claims string) {
		for _, v := range []*oidc.Verifier{plain, encoded} {
			id, err := v.Read(claims)
			if e, ok := errors.AsType[*oidc.TokenError](err); !ok || e.Reason == oidc.Malformed {
				require.Equal(t, !ok, eachOnce(claims), "the JSON decoder reads the same names")
			}
			if err != nil {
				require.ErrorIs(t, err, oidc.ErrToken)
				require.Equal(t, oidc.Identity{}, id)
				continue
			}
			back, err := scope.ParsePartition(id.User.Partition())
			require.NoError(t, err)
			require.Equal(t, back, id.User)
			require.Equal(t, scope.SharedLevel, id.Shared.Level())
			require.Equal(t, id.User.TenantID(), id.Shared.TenantID())
			require.True(t, id.Tenant == scope.Scope{} || id.Tenant.Contains(id.User) && id.Tenant.Contains(id.Shared))
			if v == plain && !strings.Contains(claims, `\`) {
				require.Contains(t, claims, `"`+id.User.TenantID()+`"`)
				require.Contains(t, claims, `"`+id.User.UserID()+`"`)
			}
		}
	})
}

// eachOnce reports whether text is one JSON object or null, with each name once in each of its objects.
func eachOnce(text string) bool {
	d := json.NewDecoder(strings.NewReader(text))
	first, err := d.Token()
	if err != nil || first != json.Delim('{') && first != nil || !namesOnce(d, first) {
		return false
	}
	_, err = d.Token()
	return errors.Is(err, io.EOF)
}

// namesOnce reads the rest of the value that begins with that token.
func namesOnce(d *json.Decoder, first json.Token) bool {
	open, _ := first.(json.Delim)
	seen := map[string]bool{}
	for open != 0 && d.More() {
		t, err := d.Token()
		if name, ok := t.(string); ok && open == '{' {
			if seen[name] {
				return false
			}
			seen[name] = true
			t, err = d.Token()
		}
		if err != nil || !namesOnce(d, t) {
			return false
		}
	}
	if open == 0 {
		return true
	}
	_, err := d.Token()
	return err == nil
}
