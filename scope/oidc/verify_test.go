package oidc_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/oidc"
)

func TestIdentityHasTheScopesOfItsClaims(t *testing.T) {
	t.Parallel()
	v := verifier(t, newIssuer(), &oidc.Options{TenantGroups: []string{"ops", "admin"}})
	tenant := must(scope.Tenant("acme"))

	id, err := v.Verify(t.Context(), sign(payload(nil), nil))
	require.NoError(t, err)
	require.Equal(t, oidc.Identity{User: must(tenant.User("u1")), Shared: must(tenant.Shared())}, id)
	require.False(t, id.Tenant.Contains(id.User), "without a group the tenant scope denies")

	id, err = v.Verify(t.Context(), sign(payload(map[string]any{"cognito:groups": []string{"readers", "ops"}}), nil))
	require.NoError(t, err)
	require.Equal(t, tenant, id.Tenant)
	require.Equal(t, []string{"readers", "ops"}, id.Groups)

	for _, groups := range [][]string{{}, {"OPS"}, {"ops "}, {"globex", "op"}, {""}} {
		id, err = v.Verify(t.Context(), sign(payload(map[string]any{"cognito:groups": groups}), nil))
		require.NoError(t, err)
		require.Equal(t, scope.None, id.Tenant.Level(), "%q", groups)
	}
	for _, groups := range []any{1, true, []any{"ops", 1}, []any{"ops", nil}, []any{[]string{"ops"}}, map[string]any{"ops": true}} {
		e := refusal(t, v, sign(payload(map[string]any{"cognito:groups": groups}), nil))
		require.Equal(t, "cognito:groups", e.Claim, "%v", groups)
	}
}

// Some issuers write one group as a string, and no groups as null.
func TestGroupsMayBeAStringOrNull(t *testing.T) {
	t.Parallel()
	v := verifier(t, newIssuer(), &oidc.Options{TenantGroups: []string{"ops"}})
	for claim, want := range map[string]struct {
		groups []string
		level  scope.Level
	}{
		`"ops"`:         {[]string{"ops"}, scope.TenantLevel},
		`["ops"]`:       {[]string{"ops"}, scope.TenantLevel},
		`"readers"`:     {[]string{"readers"}, scope.None},
		`"readers ops"`: {[]string{"readers ops"}, scope.None}, // one group: nothing is split
		`"readers,ops"`: {[]string{"readers,ops"}, scope.None},
		`"[\"ops\"]"`:   {[]string{`["ops"]`}, scope.None}, // nothing is decoded twice
		`""`:            {[]string{""}, scope.None},
		`null`:          {nil, scope.None},
		`[]`:            {nil, scope.None},
	} {
		id, err := v.Verify(t.Context(), signRaw(withClaim(`"cognito:groups":`+claim)))
		require.NoError(t, err, claim)
		require.Equal(t, want.groups, id.Groups, claim)
		require.Equal(t, want.level, id.Tenant.Level(), claim)
	}
}

// A tenant is the one claim that is configured; what else looks like one counts for nothing.
func TestTenantComesFromOneClaim(t *testing.T) {
	t.Parallel()
	v := verifier(t, newIssuer(), &oidc.Options{TenantClaim: "https://acme.example/tenant", UserClaim: "oid", GroupsClaim: "roles", TenantGroups: []string{"ops"}})
	others := map[string]any{
		"tenant_id": "globex", "custom:tenant_id": "globex", "custom:tenant": "globex", "tenant": "globex",
		"Https://acme.example/tenant": "globex", "oid": "u7", "cognito:groups": []string{"ops"},
	}
	e := refusal(t, v, sign(payload(others), nil))
	require.Equal(t, oidc.BadClaim, e.Reason)

	others["https://acme.example/tenant"] = "acme"
	id, err := v.Verify(t.Context(), sign(payload(others), nil))
	require.NoError(t, err)
	require.Equal(t, must(must(scope.Tenant("acme")).User("u7")), id.User)
	require.Equal(t, scope.None, id.Tenant.Level())
}

func TestClaimsWithInvalidIDsAreRejected(t *testing.T) {
	t.Parallel()
	i := newIssuer()
	plain, encoded := verifier(t, i, nil), verifier(t, i, &oidc.Options{EncodeIDs: true})
	for _, claim := range []string{"custom:tenant_id", "sub"} {
		never := map[string]any{
			"missing": nil, "empty": "", "array": []string{"acme"}, "empty array": []string{}, "number": 7,
			"bool": true, "object": map[string]any{"id": "acme"},
		}
		for name, value := range never {
			for _, v := range []*oidc.Verifier{plain, encoded} {
				e := refusal(t, v, sign(payload(map[string]any{claim: value}), nil))
				require.Equal(t, oidc.BadClaim, e.Reason, name)
				require.Equal(t, claim, e.Claim, name)
			}
		}
		grammar := []string{
			"a/b", "a=b", "a#b", "*", "a*", "a?", "${aws:PrincipalTag/x}", "a b", " acme", "acme ", "acme\n", "\tacme",
			"acme\x00", "-acme", "_acme", "äcme", "a.b", "..", "auth0|42", "u1@acme.example", strings.Repeat("a", 65),
		}
		for _, value := range grammar {
			e := refusal(t, plain, sign(payload(map[string]any{claim: value}), nil))
			require.Equal(t, oidc.BadClaim, e.Reason, value)
			require.Equal(t, claim, e.Claim, value)
			if len(value) > 4 {
				require.NotContains(t, e.Error(), value)
			}
			_, err := encoded.Verify(t.Context(), sign(payload(map[string]any{claim: value}), nil))
			require.NoError(t, err, value)
		}
		// The decoder replaces every invalid byte and surrogate by the same character.
		for _, value := range []string{"\"a\xff\"", `"a\ud800"`, "\"a\ufffd\""} {
			e := refusal(t, encoded, signRaw(withClaim(`"x":1`, claim, value)))
			require.Equal(t, oidc.BadClaim, e.Reason)
			refusal(t, plain, signRaw(withClaim(`"x":1`, claim, value)))
		}
		refusal(t, plain, signRaw(withClaim(`"x":1`, claim, "null")))
	}
}

// withClaim is a good payload in JSON, with one more member, and perhaps another value for a claim.
func withClaim(member string, replace ...string) string {
	values := map[string]string{"custom:tenant_id": `"acme"`, "sub": `"u1"`}
	if len(replace) == 2 {
		values[replace[0]] = replace[1]
	}
	return fmt.Sprintf(`{"iss":%q,"aud":%q,"exp":%d,"custom:tenant_id":%s,"sub":%s,%s}`,
		issuerURL, client, time.Now().Add(time.Hour).Unix(), values["custom:tenant_id"], values["sub"], member)
}

// Two users never share a scope, whatever their ids hold.
func TestIDsStayApart(t *testing.T) {
	t.Parallel()
	i := newIssuer()
	plain, encoded := verifier(t, i, nil), verifier(t, i, &oidc.Options{EncodeIDs: true})
	pairs := [][2]string{
		{"A", "u"}, {"a", "u"}, {"a", "U"}, {"a-b", "c"}, {"a", "b-c"}, {"e_YQ", "u"},
		{"a#b", "c"}, {"a", "b#c"}, {"a ", "u"}, {"a#u", "u"}, {strings.Repeat("a", 60), "u"}, {strings.Repeat("a", 61), "u"},
	}
	for _, v := range []*oidc.Verifier{plain, encoded} {
		seen := map[string][2]string{}
		for _, p := range pairs {
			id, err := v.Verify(t.Context(), sign(payload(map[string]any{"custom:tenant_id": p[0], "sub": p[1]}), nil))
			if v == plain && strings.ContainsAny(p[0]+p[1], "# ") {
				require.ErrorIs(t, err, oidc.ErrToken)
				continue
			}
			require.NoError(t, err)
			require.NotContains(t, seen, id.User.Partition(), "%v and %v", p, seen[id.User.Partition()])
			seen[id.User.Partition()] = p
		}
	}
}

func TestForgedTokensAreRejected(t *testing.T) {
	t.Parallel()
	i := newIssuer()
	anyAlg := public(kidA(), keyA()) // the key set says not what the key is for: then we alone do
	delete(anyAlg, "alg")
	i.publish(anyAlg)
	v := verifier(t, i, nil)
	evil := public(kidA(), keyB())
	i.page("https://evil.example/keys", map[string]any{"keys": []any{evil}})
	der := must(x509.MarshalPKIXPublicKey(&keyA().PublicKey))
	pub := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	good := sign(payload(nil), nil)
	head, rest, _ := strings.Cut(good, ".")
	body, sig, _ := strings.Cut(rest, ".")
	ec := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	rs := jwt.SigningMethodRS256
	forge := func(headers map[string]any) string { return signWith(rs, kidA(), keyB(), payload(nil), headers) }

	for name, f := range map[string]struct {
		token string
		want  string
	}{
		"none":                       {signWith(jwt.SigningMethodNone, kidA(), jwt.UnsafeAllowNoneSignatureType, payload(nil), nil), oidc.WrongAlgorithm},
		"none, other case":           {sign(payload(nil), map[string]any{"alg": "None"}), oidc.WrongAlgorithm},
		"HS256 with the public key":  {signWith(jwt.SigningMethodHS256, kidA(), pub, payload(nil), nil), oidc.WrongAlgorithm},
		"HS256 with its DER":         {signWith(jwt.SigningMethodHS256, kidA(), der, payload(nil), nil), oidc.WrongAlgorithm},
		"HS256 with its modulus":     {signWith(jwt.SigningMethodHS256, kidA(), keyA().N.Bytes(), payload(nil), nil), oidc.WrongAlgorithm},
		"RS512":                      {signWith(jwt.SigningMethodRS512, kidA(), keyA(), payload(nil), nil), oidc.WrongAlgorithm},
		"PS256":                      {signWith(jwt.SigningMethodPS256, kidA(), keyA(), payload(nil), nil), oidc.WrongAlgorithm},
		"ES256":                      {signWith(jwt.SigningMethodES256, kidA(), ec, payload(nil), nil), oidc.WrongAlgorithm},
		"no alg":                     {sign(payload(nil), map[string]any{"alg": nil}), oidc.WrongAlgorithm},
		"alg as a list":              {sign(payload(nil), map[string]any{"alg": []string{"RS256"}}), oidc.WrongAlgorithm},
		"another key, same kid":      {forge(nil), oidc.BadSignature},
		"another key and jku":        {forge(map[string]any{"jku": "https://evil.example/keys"}), oidc.BadHeader},
		"another key and jwk":        {forge(map[string]any{"jwk": evil}), oidc.BadHeader},
		"another key and x5u":        {forge(map[string]any{"x5u": "https://evil.example/keys"}), oidc.BadHeader},
		"another key and x5c":        {forge(map[string]any{"x5c": []string{"MIIB"}}), oidc.BadHeader},
		"crit that nobody knows":     {sign(payload(nil), map[string]any{"crit": []string{"exp"}}), oidc.BadHeader},
		"crit and b64":               {sign(payload(nil), map[string]any{"crit": []string{"b64"}, "b64": false}), oidc.BadHeader},
		"crit that is empty":         {sign(payload(nil), map[string]any{"crit": []string{}}), oidc.BadHeader},
		"zip":                        {sign(payload(nil), map[string]any{"zip": "DEF"}), oidc.BadHeader},
		"a logout token":             {sign(payload(nil), map[string]any{"typ": "logout+jwt"}), oidc.BadHeader},
		"typ as a number":            {sign(payload(nil), map[string]any{"typ": 1}), oidc.BadHeader},
		"no kid":                     {sign(payload(nil), map[string]any{"kid": nil}), oidc.BadHeader},
		"kid as a number":            {sign(payload(nil), map[string]any{"kid": 1}), oidc.BadHeader},
		"unknown kid":                {sign(payload(nil), map[string]any{"kid": "zz"}), oidc.UnknownKey},
		"kid as a path":              {sign(payload(nil), map[string]any{"kid": "../../dev/null"}), oidc.UnknownKey},
		"no signature":               {head + "." + body + ".", oidc.BadSignature},
		"half a signature":           {head + "." + body + "." + sig[:100], oidc.BadSignature},
		"another payload":            {head + "." + strings.Split(sign(payload(map[string]any{"sub": "u2"}), nil), ".")[1] + "." + sig, oidc.BadSignature},
		"evil issuer":                {sign(payload(map[string]any{"iss": "https://evil.example"}), nil), oidc.WrongIssuer},
		"evil issuer, its own key":   {signWith(rs, "e", keyB(), payload(map[string]any{"iss": "https://evil.example"}), nil), oidc.UnknownKey},
		"issuer with a slash":        {sign(payload(map[string]any{"iss": issuerURL + "/"}), nil), oidc.WrongIssuer},
		"issuer in another case":     {sign(payload(map[string]any{"iss": "https://Issuer.example"}), nil), oidc.WrongIssuer},
		"no issuer":                  {sign(payload(map[string]any{"iss": nil}), nil), oidc.BadClaim},
		"issuer as a list":           {sign(payload(map[string]any{"iss": []string{issuerURL}}), nil), oidc.BadClaim},
		"another audience":           {sign(payload(map[string]any{"aud": "other"}), nil), oidc.WrongAudience},
		"audiences of others":        {sign(payload(map[string]any{"aud": []string{"other", client + "2"}}), nil), oidc.WrongAudience},
		"no audience":                {sign(payload(map[string]any{"aud": nil}), nil), oidc.WrongAudience},
		"an empty audience":          {sign(payload(map[string]any{"aud": ""}), nil), oidc.WrongAudience},
		"audience of a wrong type":   {sign(payload(map[string]any{"aud": []any{client, 1}}), nil), oidc.WrongAudience},
		"client_id for the audience": {sign(payload(map[string]any{"aud": nil, "client_id": client}), nil), oidc.WrongAudience},
		"no expiry":                  {sign(payload(map[string]any{"exp": nil}), nil), oidc.BadClaim},
		"expiry zero":                {sign(payload(map[string]any{"exp": 0}), nil), oidc.BadClaim},
		"expiry as text":             {sign(payload(map[string]any{"exp": "9999999999"}), nil), oidc.BadClaim},
		"nbf as text":                {sign(payload(map[string]any{"nbf": "0"}), nil), oidc.BadClaim},
		"iat beyond time":            {sign(payload(map[string]any{"iat": -1e30}), nil), oidc.BadClaim},
		"expired":                    {sign(payload(map[string]any{"exp": time.Now().Add(-time.Second).Unix()}), nil), oidc.Expired},
		"a claim twice":              {signRaw(withClaim(`"sub":"u2"`)), oidc.Malformed},
		"a claim twice, escaped":     {signRaw(withClaim(`"\u0073ub":"u2"`)), oidc.Malformed},
		"payload null":               {signRaw(`null`), oidc.BadClaim},
		"payload a list":             {signRaw(`[]`), oidc.Malformed},
		"payload twice":              {signRaw(withClaim(`"x":1`) + `{}`), oidc.Malformed},
		"payload no JSON":            {signRaw(`{"iss"`), oidc.Malformed},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, f.want, refusal(t, v, f.token).Reason) })
	}
	require.Zero(t, i.gets["https://evil.example/keys"], "a token's own key set was fetched")
	e := refusal(t, v, sign(payload(map[string]any{"exp": 1e300}), nil))
	require.Contains(t, []string{oidc.BadClaim, oidc.Expired}, e.Reason)
}

func TestMalformedTokensAreRejected(t *testing.T) {
	t.Parallel()
	v := verifier(t, newIssuer(), nil)
	good := sign(payload(nil), nil)
	_, err := v.Verify(t.Context(), good)
	require.NoError(t, err)
	parts := strings.Split(good, ".")
	for _, token := range []string{
		"", ".", "..", "...", "a.b", "a.b.c", good + ".", "." + good, good + "." + parts[2], parts[0] + "." + parts[1],
		" " + good, good + " ", good + "\n", strings.Replace(good, ".", ".\r\n", 1), "Bearer " + good, good + "=", good + "==",
		strings.Join(parts[:2], ".") + "." + parts[2][:100] + "\n" + parts[2][100:], // the decoder would skip it
		"\x00", "ä.ö.ü", strings.Repeat(".", 8000),
	} {
		require.Equal(t, oidc.Malformed, refusal(t, v, token).Reason, "%.40q", token)
	}
	// The last character of a signature of 256 bytes holds four bits that say
	// nothing: only one of its spellings is the token.
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, good[len(good)-1])
	require.Equal(t, oidc.Malformed, refusal(t, v, good[:len(good)-1]+string(alphabet[last+1])).Reason)

	fits := sign(payload(map[string]any{"pad": strings.Repeat("x", 5000)}), nil)
	_, err = v.Verify(t.Context(), fits)
	require.NoError(t, err)
	large := sign(payload(map[string]any{"pad": strings.Repeat("x", 8000)}), nil)
	require.Greater(t, len(large), oidc.MaxToken)
	require.Equal(t, oidc.TooLarge, refusal(t, v, large).Reason)
}

func TestTimesAreCheckedWithTheirLeeway(t *testing.T) {
	t.Parallel()
	kidA()
	synctest.Test(t, func(t *testing.T) {
		v := verifier(t, newIssuer(), nil)
		at := func(name string, d time.Duration) string {
			return sign(payload(map[string]any{name: time.Now().Add(d).Unix()}), nil)
		}
		for token, want := range map[string]string{
			at("exp", time.Second): "", at("exp", 0): oidc.Expired, at("exp", -time.Second): oidc.Expired,
			at("nbf", 0): "", at("nbf", time.Minute): "", at("nbf", time.Minute+time.Second): oidc.NotYet,
			at("iat", time.Minute): "", at("iat", time.Minute+time.Second): oidc.NotYet, at("iat", -100*time.Hour): "",
		} {
			if want != "" {
				require.Equal(t, want, refusal(t, v, token).Reason)
				continue
			}
			_, err := v.Verify(t.Context(), token)
			require.NoError(t, err)
		}
		token := sign(payload(nil), nil)
		time.Sleep(time.Hour - time.Nanosecond)
		_, err := v.Verify(t.Context(), token)
		require.NoError(t, err)
		time.Sleep(time.Nanosecond)
		require.Equal(t, oidc.Expired, refusal(t, v, token).Reason)
	})
}

func TestCognitoTokensAreCheckedForTheirUse(t *testing.T) {
	t.Parallel()
	i := newIssuer()
	both := verifier(t, i, &oidc.Options{TokenUse: []oidc.TokenUse{oidc.IDToken, oidc.AccessToken}})
	access := verifier(t, i, &oidc.Options{TokenUse: []oidc.TokenUse{oidc.AccessToken}})
	id := map[string]any{"token_use": "id"}
	acc := map[string]any{"token_use": "access", "aud": nil, "client_id": client}
	bound := map[string]any{"token_use": "access", "aud": []string{client, "https://api.example"}, "client_id": client}
	for _, c := range []map[string]any{id, acc, bound} {
		got, err := both.Verify(t.Context(), sign(payload(c), nil))
		require.NoError(t, err)
		require.Equal(t, "u1", got.User.UserID())
	}
	_, err := access.Verify(t.Context(), sign(payload(acc), nil))
	require.NoError(t, err)
	require.Equal(t, oidc.WrongUse, refusal(t, access, sign(payload(id), nil)).Reason)

	for name, c := range map[string]struct {
		claims map[string]any
		want   string
	}{
		"no use":                        {nil, oidc.WrongUse},
		"a refresh token":               {map[string]any{"token_use": "refresh"}, oidc.WrongUse},
		"use of a wrong type":           {map[string]any{"token_use": []string{"id"}}, oidc.WrongUse},
		"id, another client":            {map[string]any{"token_use": "id", "aud": "other"}, oidc.WrongAudience},
		"id, client_id for aud":         {map[string]any{"token_use": "id", "aud": nil, "client_id": client}, oidc.WrongAudience},
		"access, another client":        {map[string]any{"token_use": "access", "aud": nil, "client_id": "other"}, oidc.WrongAudience},
		"access, no client":             {map[string]any{"token_use": "access", "aud": nil}, oidc.WrongAudience},
		"access, aud for client_id":     {map[string]any{"token_use": "access", "aud": client}, oidc.WrongAudience},
		"access, client of a list":      {map[string]any{"token_use": "access", "aud": nil, "client_id": []string{client}}, oidc.WrongAudience},
		"access, bound to another API":  {map[string]any{"token_use": "access", "aud": "https://other.example", "client_id": client}, oidc.WrongAudience},
		"access without a tenant claim": {map[string]any{"token_use": "access", "aud": nil, "client_id": client, "custom:tenant_id": nil}, oidc.BadClaim},
	} {
		require.Equal(t, c.want, refusal(t, both, sign(payload(c.claims), nil)).Reason, name)
	}
}
