package presign_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
)

const sessionID = "0190b2d4-7c3a-7e51-9b7e-1f2a3c4d5e6f"

func session(t testing.TB) scope.Scope {
	t.Helper()
	s, _, err := scope.ParseKey("tenant=acme/user=u1/uploads/" + sessionID + "/x")
	require.NoError(t, err)
	return s
}

// vault is a provider of credentials that end after a while.
type vault struct {
	life  []time.Duration // of each fetched credential; the last repeats
	calls int
	err   error
}

func (v *vault) Retrieve(context.Context) (aws.Credentials, error) {
	v.calls++
	if v.err != nil {
		return aws.Credentials{}, v.err
	}
	c := aws.Credentials{AccessKeyID: fmt.Sprintf("AKID%d", v.calls), SecretAccessKey: "SECRET", SessionToken: "TOKEN+/="}
	if len(v.life) > 0 {
		c.CanExpire, c.Expires = true, time.Now().Add(v.life[min(v.calls, len(v.life))-1])
	}
	return c, nil
}

func client(p aws.CredentialsProvider, fns ...func(*s3.Options)) *s3.Client {
	return s3.New(s3.Options{Region: "eu-central-1", Credentials: p}, fns...)
}

func signer(t testing.TB, c *s3.Client, o *presign.Options) *presign.Signer {
	t.Helper()
	s, err := presign.New(c, must.Get(object.New(object.NewMemory(), "carrel-landing", nil)), o)
	require.NoError(t, err)
	return s
}

var sum = sha256.Sum256([]byte("hello"))

func TestPutRejectsInvalidOptions(t *testing.T) {
	t.Parallel()
	ok := presign.PutOptions{Type: "image/jpeg", Size: 5}
	change := func(f func(*presign.PutOptions)) *presign.PutOptions { o := ok; f(&o); return &o }
	s := signer(t, client(&vault{}), nil)
	for what, o := range map[string]*presign.PutOptions{
		"nothing":          nil,
		"no type":          change(func(o *presign.PutOptions) { o.Type = "" }),
		"no size":          change(func(o *presign.PutOptions) { o.Size = 0 }),
		"negative size":    change(func(o *presign.PutOptions) { o.Size = -1; o.AllowUnsized = true }),
		"over 5 GiB":       change(func(o *presign.PutOptions) { o.Size = presign.MaxSize + 1 }),
		"half a digest":    change(func(o *presign.PutOptions) { o.SHA256 = sum[:16] }),
		"an empty digest":  change(func(o *presign.PutOptions) { o.SHA256 = []byte{} }),
		"too short":        change(func(o *presign.PutOptions) { o.Expires = time.Second - 1 }),
		"negative":         change(func(o *presign.PutOptions) { o.Expires = -time.Minute }),
		"too long":         change(func(o *presign.PutOptions) { o.Expires = 9 * 24 * time.Hour }),
		"type, CRLF":       change(func(o *presign.PutOptions) { o.Type = "image/jpeg\r\nX-Amz-Acl: public-read" }),
		"type, no slash":   change(func(o *presign.PutOptions) { o.Type = "jpeg" }),
		"type, space":      change(func(o *presign.PutOptions) { o.Type = " image/jpeg" }),
		"type, two spaces": change(func(o *presign.PutOptions) { o.Type = "text/plain;  charset=utf-8" }),
		"type, huge":       change(func(o *presign.PutOptions) { o.Type = "image/" + strings.Repeat("x", 300) }),
	} {
		g, err := s.Put(t.Context(), session(t), "a.jpg", o)
		require.ErrorIs(t, err, presign.ErrInvalid, what)
		require.Zero(t, g, what)
	}
	for _, name := range []string{"", ".", "..", "../../tenant=b/x", "a/b", `a\b`, "%2e%2e%2f", "a\x00b", "a\r\nb", "a?versionId=x", "a#b", "x.jpg ", strings.Repeat("x", 256)} {
		_, err := s.Put(t.Context(), session(t), name, &ok)
		require.ErrorIs(t, err, scope.ErrInvalid, "%q", name)
	}
	tenant, err := scope.Tenant("acme")
	require.NoError(t, err)
	user, err := tenant.User("u1")
	require.NoError(t, err)
	shared, err := tenant.Shared()
	require.NoError(t, err)
	for _, sc := range []scope.Scope{tenant, user, shared} {
		_, err := s.Put(t.Context(), sc, "a.jpg", &ok)
		require.ErrorIs(t, err, scope.ErrLevel)
		_, _, err = s.Arrived(t.Context(), sc, "a.jpg", nil)
		require.ErrorIs(t, err, scope.ErrLevel)
	}
	_, err = s.Put(t.Context(), scope.Scope{}, "a.jpg", &ok)
	require.ErrorIs(t, err, scope.ErrDenied)
}

func TestExpiryIsLimitedByCredentials(t *testing.T) {
	t.Parallel()
	const min = time.Minute
	for what, c := range map[string]struct {
		life    []time.Duration
		cache   bool
		ask     time.Duration
		want    time.Duration // from now; 0: ErrExpiring
		fetched int
	}{
		"for ever":               {nil, true, 0, 15 * min, 1},
		"long":                   {[]time.Duration{60 * min}, true, 30 * min, 30 * min, 1},
		"clamped":                {[]time.Duration{10 * min}, true, 60 * min, 10 * min, 1},
		"exactly enough":         {[]time.Duration{5 * min}, true, 15 * min, 5 * min, 1},
		"refreshed":              {[]time.Duration{4 * min, 60 * min}, true, 0, 15 * min, 2},
		"refreshed, no cache":    {[]time.Duration{4 * min, 60 * min}, false, 0, 15 * min, 2},
		"refreshed, and clamped": {[]time.Duration{4 * min, 6 * min}, true, 0, 6 * min, 2},
		"refreshed once only":    {[]time.Duration{4 * min, 4 * min, 60 * min}, true, 0, 0, 2},
		"already over":           {[]time.Duration{-min, -min}, false, 0, 0, 2},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(1500 * time.Millisecond) // off the full second, as clocks are
				v := &vault{life: c.life}
				var p aws.CredentialsProvider = v
				if c.cache {
					p = aws.NewCredentialsCache(v)
				}
				now := time.Now()
				g, err := signer(t, client(p), nil).Put(t.Context(), session(t), "a.jpg",
					&presign.PutOptions{Type: "image/jpeg", Size: 5, Expires: c.ask})
				require.Equal(t, c.fetched, v.calls)
				if c.want == 0 {
					require.ErrorIs(t, err, presign.ErrExpiring)
					return
				}
				require.NoError(t, err)
				require.Equal(t, now.Truncate(time.Second).Add(c.want).UTC(), g.Expires, "signed times have full seconds")
				require.Contains(t, g.URL, fmt.Sprintf("X-Amz-Credential=AKID%d%%2F", v.calls), "the credentials that were fetched last")
				require.Contains(t, g.URL, fmt.Sprintf("X-Amz-Expires=%d&", int(c.want.Seconds())))
			})
		})
	}
}

func TestCredentialErrorsAreReturned(t *testing.T) {
	t.Parallel()
	broken := errors.New("the vault is shut")
	o := &presign.PutOptions{Type: "image/jpeg", Size: 5}
	_, err := signer(t, client(&vault{err: broken}), nil).Put(t.Context(), session(t), "a.jpg", o)
	require.ErrorIs(t, err, broken)
	_, err = signer(t, client(aws.AnonymousCredentials{}), nil).Put(t.Context(), session(t), "a.jpg", o)
	require.ErrorIs(t, err, presign.ErrInvalid)
}

// Versions of the SDK have moved headers out of the signature. A client whose
// middleware changes the request gets an error.
func TestChangedRequestsAreNotGranted(t *testing.T) {
	t.Parallel()
	with := func(change func(*smithyhttp.Request)) *s3.Client {
		return client(&vault{}, func(o *s3.Options) {
			o.APIOptions = append(o.APIOptions, func(st *middleware.Stack) error {
				return st.Finalize.Insert(middleware.FinalizeMiddlewareFunc("meddle", func(
					ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler,
				) (middleware.FinalizeOutput, middleware.Metadata, error) {
					change(in.Request.(*smithyhttp.Request))
					return next.HandleFinalize(ctx, in)
				}), "PresignHTTPRequest", middleware.Before)
			})
		})
	}
	hoist := func(name string) func(*smithyhttp.Request) {
		return func(r *smithyhttp.Request) {
			q := r.URL.Query()
			q.Set(name, r.Header.Get(name))
			r.URL.RawQuery = q.Encode()
			r.Header.Del(name)
		}
	}
	for what, change := range map[string]func(*smithyhttp.Request){
		"checksum in the query": hoist("X-Amz-Checksum-Sha256"),
		"condition dropped":     hoist("If-None-Match"),
		"type dropped":          hoist("Content-Type"),
		"another type":          func(r *smithyhttp.Request) { r.Header.Set("Content-Type", "text/html") },
		"length dropped":        func(r *smithyhttp.Request) { r.ContentLength = 0; r.Header.Del("Content-Length") },
		"another key":           func(r *smithyhttp.Request) { r.URL.Path += "x"; r.URL.RawPath += "x" },
		"a key that ends so": func(r *smithyhttp.Request) {
			r.URL.Path = strings.Replace(r.URL.Path, "/tenant", "/xtenant", 1)
			r.URL.RawPath = strings.Replace(r.URL.RawPath, "/tenant", "/xtenant", 1)
		},
		"another method":  func(r *smithyhttp.Request) { r.Method = "GET" },
		"one more header": func(r *smithyhttp.Request) { r.Header.Set("X-Amz-Acl", "public-read") },
		"another expiry":  hoist("X-Amz-Expires"),
	} {
		g, err := signer(t, with(change), nil).Put(t.Context(), session(t), "a.jpg",
			&presign.PutOptions{Type: "image/jpeg", Size: 5, SHA256: sum[:]})
		require.ErrorIs(t, err, presign.ErrUnsigned, what)
		require.Zero(t, g, what)
	}
}

func TestForChoosesTheClient(t *testing.T) {
	t.Parallel()
	refused := errors.New("not for you")
	s := signer(t, nil, &presign.Options{For: func(_ context.Context, s scope.Scope) (*s3.Client, error) {
		if s != session(t) {
			return nil, refused
		}
		return client(&vault{}), nil
	}})
	o := &presign.PutOptions{Type: "image/jpeg", Size: 5}
	_, err := s.Put(t.Context(), session(t), "a.jpg", o)
	require.NoError(t, err)
	other, _, err := scope.ParseKey("tenant=globex/user=u1/uploads/" + sessionID + "/x")
	require.NoError(t, err)
	_, err = s.Put(t.Context(), other, "a.jpg", o)
	require.ErrorIs(t, err, refused)
}

func TestForMustNotReturnNil(t *testing.T) {
	t.Parallel()
	s := signer(t, nil, &presign.Options{For: func(context.Context, scope.Scope) (*s3.Client, error) { return nil, nil }})
	_, err := s.Put(t.Context(), session(t), "a.jpg", &presign.PutOptions{Type: "image/jpeg", Size: 5})
	require.ErrorIs(t, err, presign.ErrInvalid)
}

func TestPlanWithoutSizesHasNoParts(t *testing.T) {
	t.Parallel()
	for _, m := range []presign.Multipart{{}, {Size: 1}, {PartSize: 1}, {Size: -1, PartSize: -1}} {
		require.Zero(t, m.Parts(), "%+v", m)
	}
	require.Positive(t, presign.Multipart{Size: math.MaxInt64, PartSize: math.MaxInt64}.Parts(), "no overflow")
}

func TestNewRejectsInvalidArguments(t *testing.T) {
	t.Parallel()
	b := must.Get(object.New(object.NewMemory(), "carrel-landing", nil))
	for what, make := range map[string]func() (*presign.Signer, error){
		"no client": func() (*presign.Signer, error) { return presign.New(nil, b, nil) },
		"no bucket": func() (*presign.Signer, error) { return presign.New(client(&vault{}), nil, nil) },
		"a long expiry": func() (*presign.Signer, error) {
			return presign.New(client(&vault{}), b, &presign.Options{Expires: 8 * 24 * time.Hour})
		},
		"an ARN": func() (*presign.Signer, error) {
			return presign.New(client(&vault{}), must.Get(object.New(object.NewMemory(), "arn:aws:s3:eu-west-1:123456789012:accesspoint/x", nil)), nil)
		},
	} {
		_, err := make()
		require.ErrorIs(t, err, presign.ErrInvalid, what)
	}
}
