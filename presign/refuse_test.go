package presign_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
)

var plan = presign.Multipart{ID: "id", Name: "a.jpg", Type: "image/jpeg", Size: 12 << 20, PartSize: 5 << 20}

// grants returns each kind of grant with valid options.
func grants(s *presign.Signer, ref object.Ref, life time.Duration) map[string]func(context.Context, scope.Scope) (time.Time, error) {
	return map[string]func(context.Context, scope.Scope) (time.Time, error){
		"put": func(ctx context.Context, sc scope.Scope) (time.Time, error) {
			g, err := s.Put(ctx, sc, "a.jpg", &presign.PutOptions{Type: "image/jpeg", Size: 5, Expires: life})
			return g.Expires, err
		},
		"post": func(ctx context.Context, sc scope.Scope) (time.Time, error) {
			f, err := s.Post(ctx, sc, "a.jpg", &presign.PostOptions{Type: "image/jpeg", MaxSize: 5, Expires: life})
			return f.Expires, err
		},
		"part": func(ctx context.Context, sc scope.Scope) (time.Time, error) {
			g, err := s.Part(ctx, sc, plan, 1, &presign.PartOptions{Expires: life})
			return g.Expires, err
		},
		"get": func(ctx context.Context, _ scope.Scope) (time.Time, error) {
			g, err := s.Get(ctx, ref, &presign.GetOptions{Expires: life})
			return g.Expires, err
		},
	}
}

func TestEveryGrantExpiresWithItsCredentials(t *testing.T) {
	t.Parallel()
	ref := stored(t, "a.jpg", "")
	for _, c := range []struct {
		ask, life, want time.Duration
	}{
		{0, time.Hour, 15 * time.Minute}, {time.Hour, 10 * time.Minute, 10 * time.Minute}, {time.Minute, time.Hour, time.Minute}, {time.Hour, time.Minute, 0},
	} {
		for kind := range grants(nil, ref, 0) {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(1500 * time.Millisecond) // off the full second, as clocks are
				v := &vault{life: []time.Duration{c.life}}
				now := time.Now().UTC()
				for _, o := range []*presign.Options{nil, {For: func(context.Context, scope.Scope) (*s3.Client, error) { return client(v), nil }}} {
					s := signer(t, client(v), o)
					end, err := grants(s, ref, c.ask)[kind](t.Context(), session(t))
					if c.want == 0 {
						require.ErrorIs(t, err, presign.ErrExpiring, kind)
						continue
					}
					require.NoError(t, err, kind)
					require.Equal(t, now.Truncate(time.Second).Add(c.want), end, kind)
				}
			})
		}
	}
}

func TestEveryGrantRejectsWhatItMust(t *testing.T) {
	t.Parallel()
	ref := stored(t, "a.jpg", "")
	s := signer(t, client(&vault{}), nil)
	for _, life := range []time.Duration{time.Second - 1, -time.Minute, 9 * 24 * time.Hour} {
		for kind, grant := range grants(s, ref, life) {
			_, err := grant(t.Context(), session(t))
			require.ErrorIs(t, err, presign.ErrInvalid, "%s, %v", kind, life)
		}
	}
	user, err := scope.ParsePartition("t#acme#u#u1")
	require.NoError(t, err)
	refused, broken := errors.New("not for you"), errors.New("the vault is shut")
	picky := signer(t, nil, &presign.Options{For: func(context.Context, scope.Scope) (*s3.Client, error) { return nil, refused }})
	shut := signer(t, client(&vault{err: broken}), nil)
	for kind := range grants(s, ref, 0) {
		_, err := grants(picky, ref, 0)[kind](t.Context(), session(t))
		require.ErrorIs(t, err, refused, kind)
		_, err = grants(shut, ref, 0)[kind](t.Context(), session(t))
		require.ErrorIs(t, err, broken, kind)
		if kind == "get" {
			continue // its Ref brings the scope
		}
		_, err = grants(s, ref, 0)[kind](t.Context(), user)
		require.ErrorIs(t, err, scope.ErrLevel, kind)
		_, err = grants(s, ref, 0)[kind](t.Context(), scope.Scope{})
		require.ErrorIs(t, err, scope.ErrDenied, kind)
	}
}

func TestEveryGrantFetchesCredentialsOnce(t *testing.T) {
	t.Parallel()
	ref := stored(t, "a.jpg", "")
	for kind := range grants(nil, ref, 0) {
		v := &vault{}
		_, err := grants(signer(t, client(v), nil), ref, 0)[kind](t.Context(), session(t))
		require.NoError(t, err, kind)
		require.Equal(t, 1, v.calls, kind)
	}
}

// lent is a context that replaces the credentials in it.
type lent struct {
	context.Context
	creds aws.Credentials
}

func (l lent) Value(key any) any {
	v := l.Context.Value(key)
	if _, ok := v.(aws.Credentials); ok {
		return l.creds
	}
	return v
}

// signedBy returns a client that fetches from a vault and always signs with c.
func signedBy(c aws.Credentials) *s3.Client {
	provider := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return c, nil })
	return client(&vault{}, func(o *s3.Options) {
		o.APIOptions = append(o.APIOptions, func(st *middleware.Stack) error {
			if _, form := st.Finalize.Get("PresignPostRequestMiddleware"); form {
				return st.Finalize.Insert(middleware.FinalizeMiddlewareFunc("lend", func(
					ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler,
				) (middleware.FinalizeOutput, middleware.Metadata, error) {
					return next.HandleFinalize(lent{ctx, c}, in)
				}), "PresignPostRequestMiddleware", middleware.Before)
			}
			_, err := st.Finalize.Swap("PresignHTTPRequest", v4.NewPresignHTTPRequestMiddleware(v4.PresignHTTPRequestMiddlewareOptions{
				CredentialsProvider: provider,
				Presigner:           v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }),
			}))
			return err
		})
	})
}

// A grant that other credentials signed would expire with them and allow what
// they allow.
func TestEveryGrantIsSignedByTheFetchedCredentials(t *testing.T) {
	t.Parallel()
	ref := stored(t, "a.jpg", "")
	own, err := (&vault{}).Retrieve(t.Context())
	require.NoError(t, err)
	for what, change := range map[string]func(*aws.Credentials){
		"":                   func(*aws.Credentials) {}, // the client itself is in order
		"another access key": func(c *aws.Credentials) { c.AccessKeyID = "OTHER" },
		"a longer one":       func(c *aws.Credentials) { c.AccessKeyID += "0" },
		"a shorter one":      func(c *aws.Credentials) { c.AccessKeyID = c.AccessKeyID[:len(c.AccessKeyID)-1] },
		"another token":      func(c *aws.Credentials) { c.SessionToken = "OTHER+/==" },
		"a longer token":     func(c *aws.Credentials) { c.SessionToken += "x" },
		"a shorter token":    func(c *aws.Credentials) { c.SessionToken = c.SessionToken[:len(c.SessionToken)-1] },
		"no token":           func(c *aws.Credentials) { c.SessionToken = "" },
	} {
		c := own
		change(&c)
		for kind := range grants(nil, ref, 0) {
			_, err := grants(signer(t, signedBy(c), nil), ref, 0)[kind](t.Context(), session(t))
			if what == "" {
				require.NoError(t, err, kind)
				continue
			}
			require.ErrorIs(t, err, presign.ErrUnsigned, "%s, %s", kind, what)
		}
	}
}

func TestPostRejectsInvalidOptions(t *testing.T) {
	t.Parallel()
	s := signer(t, client(&vault{}), nil)
	for what, o := range map[string]*presign.PostOptions{
		"nothing":        nil,
		"no type":        {MaxSize: 5},
		"type, CRLF":     {Type: "a/b\r\nx: y", MaxSize: 5},
		"no size":        {Type: "image/jpeg"},
		"over 5 GiB":     {Type: "image/jpeg", MaxSize: presign.MaxSize + 1},
		"least above":    {Type: "image/jpeg", MinSize: 6, MaxSize: 5},
		"negative least": {Type: "image/jpeg", MinSize: -1, MaxSize: 5},
		"half a digest":  {Type: "image/jpeg", MaxSize: 5, SHA256: sum[:16]},
	} {
		f, err := s.Post(t.Context(), session(t), "a.jpg", o)
		require.ErrorIs(t, err, presign.ErrInvalid, what)
		require.Zero(t, f, what)
	}
	ok := &presign.PostOptions{Type: "image/jpeg", MaxSize: 5}
	_, err := s.Post(t.Context(), session(t), "../x", ok)
	require.ErrorIs(t, err, scope.ErrInvalid)
	// S3 would put the name that the client's file has in its place.
	_, err = s.Post(t.Context(), session(t), "a ${filename}", ok)
	require.ErrorIs(t, err, presign.ErrInvalid)
}

// A Ref that a client sends has not been through a Root, so no download is granted for it.
func TestUnresolvedRefsAreNotGranted(t *testing.T) {
	t.Parallel()
	s := signer(t, client(&vault{}), nil)
	for _, key := range []string{"tenant=globex/user=u1/a.jpg", "tenant=globex/shared/a.jpg", stored(t, "a.jpg", "").Key()} {
		var ref object.Ref
		require.NoError(t, json.Unmarshal(fmt.Appendf(nil, `{"bucket":"carrel-landing","key":%q}`, key), &ref))
		for _, ref := range []object.Ref{ref, ref.Unpinned()} {
			g, err := s.Get(t.Context(), ref, nil)
			require.ErrorIs(t, err, object.ErrOutside, key)
			require.Equal(t, presign.Grant{}, g)
		}
	}
}

func TestGetRejectsInvalidOptions(t *testing.T) {
	t.Parallel()
	s := signer(t, client(&vault{}), &presign.Options{Types: []string{"image/jpeg"}})
	ref := stored(t, "a.jpg", "")
	for what, o := range map[string]*presign.GetOptions{
		"inline, no type":         {Inline: true},
		"inline, type not had":    {Inline: true, Type: "text/html"},
		"inline, in capitals":     {Inline: true, Type: "image/JPEG2"},
		"a type that is none":     {Type: "image"},
		"a type with a new line":  {Type: "image/jpeg\r\nx: y"},
		"a name with a path":      {Name: "../x"},
		"a name with a new line":  {Name: "a\r\nSet-Cookie: x"},
		"a name that turns right": {Name: "a\u202egpj.exe"},
	} {
		g, err := s.Get(t.Context(), ref, o)
		require.Error(t, err, what)
		require.True(t, errors.Is(err, presign.ErrInvalid) || errors.Is(err, scope.ErrInvalid), "%s: %v", what, err)
		require.Zero(t, g, what)
	}
	_, err := s.Get(t.Context(), object.Ref{}, nil)
	require.ErrorIs(t, err, object.ErrOutside)
	root, err := must.Get(object.New(object.NewMemory(), "another-bucket", nil)).In(session(t))
	require.NoError(t, err)
	foreign, err := root.Ref("a.jpg")
	require.NoError(t, err)
	_, err = s.Get(t.Context(), foreign, nil)
	require.ErrorIs(t, err, object.ErrOutside)

	for _, types := range [][]string{{"image"}, {"Image/jpeg"}, {"text/plain; charset=utf-8"}, {""}, {"image/png", "a b/c"}} {
		_, err := presign.New(client(&vault{}), must.Get(object.New(object.NewMemory(), "carrel-landing", nil)), &presign.Options{Types: types})
		require.ErrorIs(t, err, presign.ErrInvalid, types)
	}
	_, err = signer(t, client(aws.AnonymousCredentials{}), nil).Get(t.Context(), ref, nil)
	require.ErrorIs(t, err, presign.ErrInvalid)
}
