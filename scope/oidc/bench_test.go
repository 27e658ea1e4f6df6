package oidc_test

import (
	"slices"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
)

// verifyWithLibrary returns a function that verifies with golang-jwt alone.
func verifyWithLibrary() func(token string) error {
	key := &keyA().PublicKey
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"RS256"}), jwt.WithExpirationRequired(), jwt.WithIssuer(issuerURL), jwt.WithAudience(client))
	return func(token string) error {
		_, err := parser.Parse(token, func(*jwt.Token) (any, error) { return key, nil })
		return err
	}
}

func cognitoLike() string {
	return sign(payload(map[string]any{
		"token_use": "id", "auth_time": time.Now().Unix(), "jti": "0d3f3c8e-5c4e-4b60-9b0b-6d4f7a0f6a52", "email_verified": true,
		"email": "reader@acme.example", "cognito:username": "reader", "cognito:groups": []string{"readers"},
		"origin_jti": "63f1d6a7-20f4-4f0b-ae6c-52f1f3c7c0de", "event_id": "5ab9b9c3-8a3b-4f6b-92a1-9a4d2a6d3f10",
	}), nil)
}

func BenchmarkVerify(b *testing.B) {
	v, token := verifier(b, newIssuer(), nil), cognitoLike()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Verify(b.Context(), token); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLibrary(b *testing.B) {
	verify, token := verifyWithLibrary(), cognitoLike()
	b.ReportAllocs()
	for b.Loop() {
		if err := verify(token); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAgainstLibrary takes both in turns and reports the ratio of their
// medians as x-library. It fails above 1.2.
func BenchmarkAgainstLibrary(b *testing.B) {
	v, verify, token := verifier(b, newIssuer(), nil), verifyWithLibrary(), cognitoLike()
	var ours, theirs []time.Duration
	for b.Loop() {
		begin := time.Now()
		_, err := v.Verify(b.Context(), token)
		middle := time.Now()
		err2 := verify(token)
		ours, theirs = append(ours, middle.Sub(begin)), append(theirs, time.Since(middle))
		if err != nil || err2 != nil {
			b.Fatal(err, err2)
		}
	}
	slices.Sort(ours)
	slices.Sort(theirs)
	ratio := float64(ours[len(ours)/2]) / float64(theirs[len(theirs)/2])
	b.ReportMetric(ratio, "x-library")
	if len(ours) > 1000 {
		require.LessOrEqual(b, ratio, 1.2)
	}
}
