package oidc_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope/oidc"
)

// bubble runs f under synthetic time, with keys made before.
func bubble(t *testing.T, f func(t *testing.T, i *issuer, v *oidc.Verifier)) {
	t.Helper()
	kidA()
	keyB()
	synctest.Test(t, func(t *testing.T) {
		i := newIssuer()
		f(t, i, verifier(t, i, nil))
	})
}

func signB() string { return signWith(jwt.SigningMethodRS256, "b", keyB(), payload(nil), nil) }

func TestRotatedKeysReplaceTheOld(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, i *issuer, v *oidc.Verifier) {
		i.publish(public(kidA(), keyA()), public("b", keyB()))
		_, err := v.Verify(t.Context(), signB())
		require.NoError(t, err, "the first new key serves at once")
		_, err = v.Verify(t.Context(), sign(payload(nil), nil))
		require.NoError(t, err, "the old one goes on")

		i.publish(public("b", keyB()))
		old := sign(payload(map[string]any{"exp": time.Now().Add(100 * time.Hour).Unix()}), nil)
		time.Sleep(oidc.KeyAge)
		require.Equal(t, oidc.UnknownKey, refusal(t, v, old).Reason, "a key that was withdrawn is refused after KeyAge")
		require.Equal(t, 3, i.fetches())
	})
}

func TestKeysAreRefreshedInUse(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, i *issuer, v *oidc.Verifier) {
		for range 12 * 20 { // a request every three minutes for twelve hours
			time.Sleep(3 * time.Minute)
			_, err := v.Verify(t.Context(), sign(payload(nil), nil))
			require.NoError(t, err)
			synctest.Wait()
		}
		require.Equal(t, 1+24, i.fetches(), "one each half KeyAge")
	})
}

// A flood of unknown key ids costs the issuer one fetch each RefetchInterval.
func TestUnknownKeysAreRateLimited(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, i *issuer, v *oidc.Verifier) {
		begin := time.Now()
		for time.Since(begin) < 10*time.Minute {
			time.Sleep(time.Second)
			e := refusal(t, v, sign(payload(nil), map[string]any{"kid": fmt.Sprint(rand.Int64())}))
			require.Equal(t, oidc.UnknownKey, e.Reason)
		}
		require.LessOrEqual(t, i.fetches(), 2+int(10*time.Minute/oidc.RefetchInterval))

		i.publish(public("b", keyB()))
		time.Sleep(oidc.RefetchInterval)
		_, err := v.Verify(t.Context(), signB())
		require.NoError(t, err, "and a new key is found after the flood")
	})
}

func TestConcurrentCallersShareOneFetch(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, i *issuer, v *oidc.Verifier) {
		i.publish(public("b", keyB()))
		i.gate = make(chan struct{})
		token := signB()
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				_, err := v.Verify(context.Background(), token)
				require.NoError(t, err)
			})
		}
		impatient, cancel := context.WithCancel(t.Context())
		wg.Go(func() {
			_, err := v.Verify(impatient, token)
			require.ErrorIs(t, err, context.Canceled)
		})
		synctest.Wait()
		cancel() // who goes away takes the fetch from nobody
		synctest.Wait()
		close(i.gate)
		wg.Wait()
		require.Equal(t, 2, i.fetches())
	})
}

func TestKeysAreUsedForADayIfTheIssuerIsDown(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, i *issuer, v *oidc.Verifier) {
		long := sign(payload(map[string]any{"exp": time.Now().Add(100 * time.Hour).Unix()}), nil)
		i.fail(errors.New("refused"))
		for range 23 {
			time.Sleep(time.Hour)
			_, err := v.Verify(t.Context(), long)
			require.NoError(t, err, "known keys are used on")
		}
		for range 3 {
			_, err := v.Verify(t.Context(), signB())
			require.ErrorIs(t, err, oidc.ErrUnavailable, "an unknown key may be a new one")
			require.NotErrorIs(t, err, oidc.ErrToken)
		}
		time.Sleep(time.Hour)
		_, err := v.Verify(t.Context(), long)
		require.ErrorIs(t, err, oidc.ErrUnavailable, "but not for ever")

		i.fail(nil)
		time.Sleep(oidc.RefetchInterval)
		_, err = v.Verify(t.Context(), long)
		require.NoError(t, err)
	})
}

// An issuer that hangs, sends nonsense or nothing usable does not take the keys away.
func TestBadKeySetsChangeNothing(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, i *issuer, v *oidc.Verifier) {
		twice := []any{public("b", keyB()), public("b", keyA())}
		for _, page := range []any{
			"", "{", "[]", "null", `{"keys":{}}`, `{"keys":[]}`, `{"keys":[{"kty":"RSA","kid":"b"}]}`, `{"keys":[]} {}`,
			map[string]any{"keys": twice}, string(must(json.Marshal(map[string]any{"keys": []any{public("b", keyB())}}))) + strings.Repeat(" ", 1<<20),
		} {
			time.Sleep(oidc.RefetchInterval)
			i.page(keysURL, page)
			_, err := v.Verify(t.Context(), signB())
			require.ErrorIs(t, err, oidc.ErrUnavailable)
			_, err = v.Verify(t.Context(), sign(payload(nil), nil))
			require.NoError(t, err)
		}
		time.Sleep(oidc.RefetchInterval)
		i.gate = make(chan struct{}) // never opened
		begin := time.Now()
		_, err := v.Verify(t.Context(), signB())
		require.ErrorIs(t, err, oidc.ErrUnavailable)
		require.Equal(t, oidc.FetchTimeout, time.Since(begin))
	})
}

func TestCloseEndsTheFetch(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, i *issuer, v *oidc.Verifier) {
		i.gate = make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := v.Verify(context.Background(), signB())
			require.ErrorIs(t, err, oidc.ErrClosed)
		})
		synctest.Wait()
		begin := time.Now()
		require.NoError(t, v.Close())
		require.Zero(t, time.Since(begin))
		wg.Wait() // and the bubble fails where a goroutine is left
		_, err := v.Verify(t.Context(), sign(payload(nil), nil))
		require.ErrorIs(t, err, oidc.ErrClosed)
		require.NoError(t, v.Close())
	})
}

// The context given to New bounds New: it may end, and keys are fetched on.
func TestContextOfNewDoesNotEndTheVerifier(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, i *issuer, _ *oidc.Verifier) {
		ctx, cancel := context.WithCancel(t.Context())
		v, err := oidc.New(ctx, issuerURL, client, &oidc.Options{Client: clientOf(i)})
		require.NoError(t, err)
		cancel()
		i.publish(public("b", keyB()))
		_, err = v.Verify(t.Context(), signB())
		require.NoError(t, err)
		require.NoError(t, v.Close())

		_, err = oidc.New(ctx, issuerURL, client, &oidc.Options{Client: clientOf(hanging())})
		require.ErrorIs(t, err, context.Canceled)
		begin := time.Now()
		_, err = oidc.New(t.Context(), issuerURL, client, &oidc.Options{Client: clientOf(hanging())})
		require.ErrorIs(t, err, oidc.ErrUnavailable)
		require.Equal(t, oidc.FetchTimeout, time.Since(begin))
	})
}

// One bad key among the issuer's does not lock anybody out (RFC 7517 section 5).
func TestUnusableKeysAreSkipped(t *testing.T) {
	t.Parallel()
	text := func(k map[string]any) string { return string(must(json.Marshal(k))) }
	with := func(kid, member string, value any) string {
		k := public(kid, keyB())
		k[member] = value
		return text(k)
	}
	for name, keys := range map[string]string{
		"null":                     `null`,
		"a number":                 `7`,
		"a string":                 `"key"`,
		"a list":                   `[]`,
		"empty":                    `{}`,
		"no type":                  `{"kid":"b","n":"AQAB","e":"AQAB"}`,
		"a type that is new":       `{"kty":"AKP","alg":"ML-DSA-44","kid":"b","pub":"AA"}`,
		"a type in other case":     with("b", "kty", "rsa"),
		"a type of a wrong kind":   with("b", "kty", []string{"RSA"}),
		"no kid":                   with("", "use", "sig"),
		"kid as a number":          with("b", "kid", 7),
		"use as a list":            with("b", "use", []string{"sig"}),
		"ops as a string":          with("b", "key_ops", "verify"),
		"ops null inside":          with("b", "key_ops", []any{nil}),
		"n as a number":            with("b", "n", 5),
		"n no base64":              with("b", "n", "*"),
		"n even":                   with("b", "n", strings.Repeat("_", 341)+"g"),
		"n huge":                   with("b", "n", strings.Repeat("_", 100_000)),
		"no e":                     with("b", "e", nil),
		"e empty":                  with("b", "e", ""),
		"e no base64":              with("b", "e", "!!"),
		"e one":                    with("b", "e", "AQ"),
		"e even":                   with("b", "e", "AQAA"),
		"e beyond 31 bits":         with("b", "e", "AQAAAAAB"),
		"e beyond 64 bits":         with("b", "e", "AQAAAAAAAAABAAE"), // a reader that cuts it would see 65,537
		"two keys with one kid":    text(public("b", keyB())) + "," + text(public("b", keyA())),
		"three, two of them equal": text(public("b", keyB())) + "," + text(public("b", keyA())) + "," + text(public("b", keyB())),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			good := text(public(kidA(), keyA()))
			for _, page := range []string{`{"keys":[` + keys + `,` + good + `]}`, `{"keys":[` + good + `,` + keys + `]}`} {
				i := newIssuer()
				i.page(keysURL, page)
				v := verifier(t, i, nil)
				_, err := v.Verify(t.Context(), sign(payload(nil), nil))
				require.NoError(t, err)
				require.Equal(t, oidc.UnknownKey, refusal(t, v, signB()).Reason)
				forged := signWith(jwt.SigningMethodRS256, "b", keyA(), payload(nil), nil)
				require.Equal(t, oidc.UnknownKey, refusal(t, v, forged).Reason)
			}
		})
	}
}

// A key that is published twice is one key, also if only one of them says its
// use, and a key for something else may have the same kid.
func TestDoubledKeysCountOnce(t *testing.T) {
	t.Parallel()
	bare, padded := public("b", keyB()), public("b", keyB())
	delete(bare, "use")
	delete(bare, "alg")
	padded["e"] = "AAEAAQ==" // 65,537 with a leading zero and padding
	encrypting := public("b", keyA())
	encrypting["use"] = "enc"
	i := newIssuer()
	i.publish(public("b", keyB()), public("b", keyB()), bare, padded, encrypting, map[string]any{"kty": "EC", "kid": "b"}, public(kidA(), keyA()))
	v := verifier(t, i, nil)
	for _, token := range []string{signB(), sign(payload(nil), nil)} {
		_, err := v.Verify(t.Context(), token)
		require.NoError(t, err)
	}
	forged := signWith(jwt.SigningMethodRS256, "b", keyA(), payload(nil), nil)
	require.Equal(t, oidc.BadSignature, refusal(t, v, forged).Reason)
}

// Keys that are for something else are left out; those that are too weak too.
func TestOnlyKeysForRS256Verify(t *testing.T) {
	t.Parallel()
	with := func(change map[string]any) map[string]any {
		k := public("b", keyB())
		for name, value := range change {
			k[name] = value
		}
		return k
	}
	noUse, noAlg := public("b", keyB()), public("b", keyB())
	delete(noUse, "use")
	delete(noAlg, "alg")
	for name, c := range map[string]struct {
		key    map[string]any
		serves bool
	}{
		"plain":            {with(nil), true},
		"no use":           {noUse, true},
		"no alg":           {noAlg, true},
		"verifying":        {with(map[string]any{"key_ops": []string{"verify"}}), true},
		"certified":        {with(map[string]any{"x5c": []string{"no certificate"}, "x5u": "https://evil.example/"}), true},
		"for encryption":   {with(map[string]any{"use": "enc"}), false},
		"for wrapping":     {with(map[string]any{"key_ops": []string{"wrapKey"}}), false},
		"for RS512":        {with(map[string]any{"alg": "RS512"}), false},
		"for HS256":        {with(map[string]any{"alg": "HS256"}), false},
		"of another type":  {map[string]any{"kty": "EC", "kid": "b", "crv": "P-256", "x": "AA", "y": "AA"}, false},
		"symmetric":        {map[string]any{"kty": "oct", "kid": "b", "k": "AAAA"}, false},
		"unknown curve":    {map[string]any{"kty": "OKP", "kid": "b", "crv": "Ed448", "x": "AA"}, false},
		"weak":             {public("b", weakKey()), false},
		"modulus missing":  {with(map[string]any{"n": ""}), false},
		"modulus no text":  {with(map[string]any{"n": "!!"}), false},
		"modulus too long": {with(map[string]any{"n": strings.Repeat("_", 2000)}), false},
	} {
		t.Run(name, func(t *testing.T) {
			i := newIssuer()
			i.publish(c.key, public(kidA(), keyA()), map[string]any{"kty": "RSA"})
			v := verifier(t, i, nil)
			_, err := v.Verify(t.Context(), sign(payload(nil), nil))
			require.NoError(t, err, "the other keys serve")
			signer := keyB()
			if name == "weak" {
				signer = weakKey()
			}
			token := signWith(jwt.SigningMethodRS256, "b", signer, payload(nil), nil)
			if _, err = v.Verify(t.Context(), token); c.serves {
				require.NoError(t, err)
				return
			}
			require.Equal(t, oidc.UnknownKey, refusal(t, v, token).Reason)
		})
	}
}
