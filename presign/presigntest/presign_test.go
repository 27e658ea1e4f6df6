package presigntest_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/presign/presigntest"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/object/s3object"
)

const name = "front cover+1=ü.jpg"

var (
	cover = []byte("not really a JPEG, and it need not be one")
	sum   = sha256.Sum256(cover)
)

type desk struct {
	signer  *presign.Signer
	root    *object.Root
	session scope.Scope
	bucket  string
}

func newDesk(t *testing.T, secretKey string) desk {
	t.Helper()
	c, bucket := newBucket(t)
	d, err := s3object.New(c, bucket, nil)
	require.NoError(t, err)
	b := must.Get(object.New(d, bucket, nil))
	signer, err := presign.New(newClient(secretKey), b, nil)
	require.NoError(t, err)
	session := newSession(t)
	root, err := b.In(session)
	require.NoError(t, err)
	return desk{signer, root, session, bucket}
}

func newSession(t *testing.T) scope.Scope {
	t.Helper()
	tenant, err := scope.Tenant("acme")
	require.NoError(t, err)
	user, err := tenant.User("u1")
	require.NoError(t, err)
	session, err := user.NewSession()
	require.NoError(t, err)
	return session
}

func (d desk) grant(t *testing.T, o *presign.PutOptions) presign.Grant {
	t.Helper()
	g, err := d.signer.Put(t.Context(), d.session, name, o)
	require.NoError(t, err)
	return g
}

// request returns the request that an honest client makes for a grant.
func request(t *testing.T, g presign.Grant, body []byte) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), g.Method, g.URL, bytes.NewReader(body))
	require.NoError(t, err)
	for name, value := range g.Headers {
		req.Header.Set(name, value)
	}
	return req
}

func do(t *testing.T, req *http.Request) (*http.Response, string) {
	t.Helper()
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	require.NoError(t, err)
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	return res, string(body)
}

var full = &presign.PutOptions{Type: "image/jpeg", Size: int64(len(cover)), SHA256: sum[:]}

func TestGrantUploadsOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t, secret)
	_, _, err := d.signer.Arrived(t.Context(), d.session, name, nil)
	require.ErrorIs(t, err, presign.ErrNotArrived)

	g := d.grant(t, full)
	res, body := do(t, request(t, g, cover))
	require.Equal(t, http.StatusOK, res.StatusCode, body)

	ref, info, err := d.signer.Arrived(t.Context(), d.session, name, &presign.ArrivedOptions{MaxSize: int64(len(cover))})
	require.NoError(t, err)
	require.Equal(t, g.Key, ref.Key())
	require.Equal(t, res.Header.Get("ETag"), ref.ETag(), "the ETag that the client saw is the one that is pinned")
	require.EqualValues(t, len(cover), info.Size)
	require.Equal(t, "image/jpeg", info.Type)
	require.Equal(t, sum[:], info.SHA256)

	res, body = do(t, request(t, g, cover))
	require.Equal(t, http.StatusPreconditionFailed, res.StatusCode, body)
	res, body = do(t, request(t, d.grant(t, full), cover))
	require.Equal(t, http.StatusPreconditionFailed, res.StatusCode, "a second grant does not help: %s", body)
}

// Every deviation from the grant is refused, and leaves nothing behind.
func TestTamperedGrantsAreRejected(t *testing.T) {
	t.Parallel()
	d := newDesk(t, secret)
	other := bytes.Repeat([]byte("x"), len(cover))
	query := func(name, value string) func(*http.Request) {
		return func(r *http.Request) {
			q := r.URL.Query()
			q.Set(name, value)
			r.URL.RawQuery = q.Encode()
		}
	}
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	drop := func(name string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Del(name) }
	}
	method := func(m string) func(*http.Request) {
		return func(r *http.Request) { r.Method = m }
	}
	body := func(b []byte) func(*http.Request) {
		return func(r *http.Request) {
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
		}
	}
	cases := map[string]func(*http.Request){
		"another name":     func(r *http.Request) { setKey(r, d.session.Prefix()+"x") },
		"another session":  func(r *http.Request) { setKey(r, newSession(t).Prefix()+name) },
		"dots in the path": func(r *http.Request) { setKey(r, d.session.Prefix()+"../x/"+name) },
		"another tenant": func(r *http.Request) {
			setKey(r, strings.Replace(d.session.Prefix(), "acme", "globex", 1)+name)
		},
		"another type":            header("Content-Type", "text/html"),
		"type dropped":            drop("Content-Type"),
		"write once dropped":      drop("If-None-Match"),
		"write once changed":      header("If-None-Match", `"x"`),
		"digest dropped":          drop("X-Amz-Checksum-Sha256"),
		"digest of other bytes":   func(r *http.Request) { body(other)(r); header("X-Amz-Checksum-Sha256", "AAAA")(r) },
		"other bytes":             body(other),
		"longer":                  body(append(bytes.Clone(cover), 'x')),
		"shorter":                 body(cover[:len(cover)-1]),
		"length not told":         func(r *http.Request) { body(cover)(r); r.ContentLength = -1 },
		"GET":                     method(http.MethodGet),
		"DELETE":                  method(http.MethodDelete),
		"POST":                    method(http.MethodPost),
		"longer expiry":           query("X-Amz-Expires", "86400"),
		"another date":            query("X-Amz-Date", "20990101T000000Z"),
		"another region":          query("X-Amz-Credential", access+"/20990101/eu-west-1/s3/aws4_request"),
		"fewer signed headers":    query("X-Amz-SignedHeaders", "host"),
		"another signature":       query("X-Amz-Signature", strings.Repeat("0", 64)),
		"no signature":            query("X-Amz-Signature", ""),
		"smuggled metadata":       header("X-Amz-Meta-Tenant", "globex"),
		"smuggled acl":            header("X-Amz-Acl", "public-read"),
		"smuggled copy source":    header("X-Amz-Copy-Source", "/carrel-raw/tenant=globex/shared/a.txt"),
		"smuggled tags":           header("X-Amz-Tagging", "a=b"),
		"smuggled storage class":  header("X-Amz-Storage-Class", "GLACIER"),
		"smuggled query, acl":     query("acl", ""),
		"smuggled query, part":    func(r *http.Request) { query("partNumber", "1")(r); query("uploadId", "x")(r) },
		"smuggled query, version": query("versionId", "x"),
	}
	for what, tamper := range cases {
		t.Run(what, func(t *testing.T) {
			req := request(t, d.grant(t, full), cover)
			tamper(req)
			res, body := do(t, req)
			require.Contains(t, []int{http.StatusBadRequest, http.StatusForbidden, http.StatusMethodNotAllowed}, res.StatusCode, body)
			require.Empty(t, everything(t, d.bucket))
		})
	}
	res, text := do(t, request(t, d.grant(t, full), cover))
	require.Equal(t, http.StatusOK, res.StatusCode, "after all that, the honest client: %s", text)
}

// setKey aims a request at another key of the same bucket.
func setKey(r *http.Request, key string) {
	bucket, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	r.URL.Path, r.URL.RawPath = "/"+bucket+"/"+key, ""
}

// everything lists the bucket as its owner, all tenants together.
func everything(t *testing.T, bucket string) []string {
	t.Helper()
	out, err := newClient(secret).ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &bucket})
	require.NoError(t, err)
	var keys []string
	for _, o := range out.Contents {
		keys = append(keys, *o.Key)
	}
	return keys
}

func TestExpiredGrantIsRejected(t *testing.T) {
	t.Parallel()
	d := newDesk(t, secret)
	var g presign.Grant
	synctest.Test(t, func(t *testing.T) { // signed on 1 January 2000
		g = d.grant(t, full)
		require.Equal(t, time.Date(2000, 1, 1, 0, 15, 0, 0, time.UTC), g.Expires)
	})
	res, body := do(t, request(t, g, cover))
	require.Equal(t, http.StatusForbidden, res.StatusCode, body)
}

func TestGrantOfAnotherSecretIsRejected(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "another-secret")
	res, body := do(t, request(t, d.grant(t, full), cover))
	require.Equal(t, http.StatusForbidden, res.StatusCode, body)
}

// The owner's header is part of the signature, so an upload without it or with
// another is refused; and a bucket of another owner takes none.
func TestGrantIsBoundToTheBucketOwner(t *testing.T) {
	t.Parallel()
	c, bucket := newBucket(t)
	driver, err := s3object.New(c, bucket, &s3object.Options{BucketOwner: access})
	require.NoError(t, err)
	b := must.Get(object.New(driver, bucket, nil))
	grant := func(session scope.Scope, owner string) presign.Grant {
		signer, err := presign.New(newClient(secret), b, &presign.Options{BucketOwner: owner})
		require.NoError(t, err)
		g, err := signer.Put(t.Context(), session, name, full)
		require.NoError(t, err)
		return g
	}
	session := newSession(t)
	for owner, code := range map[string]string{"": "SignatureDoesNotMatch", "210987654321": "AccessDenied"} {
		req := request(t, grant(session, access), cover)
		req.Header.Del("X-Amz-Expected-Bucket-Owner")
		if owner != "" {
			req = request(t, grant(session, owner), cover)
		}
		res, body := do(t, req)
		require.Equal(t, http.StatusForbidden, res.StatusCode, body)
		require.Contains(t, body, code)
	}
	res, body := do(t, request(t, grant(session, access), cover))
	require.Equal(t, http.StatusOK, res.StatusCode, body)

	root, err := b.In(session)
	require.NoError(t, err)
	ref, err := root.Ref(name)
	require.NoError(t, err)
	_, _, err = root.Stat(t.Context(), ref)
	require.NoError(t, err)
	driver, err = s3object.New(c, bucket, &s3object.Options{BucketOwner: "210987654321"})
	require.NoError(t, err)
	root, err = must.Get(object.New(driver, bucket, nil)).In(session)
	require.NoError(t, err)
	_, _, err = root.Stat(t.Context(), ref)
	require.ErrorIs(t, err, object.ErrDenied)
	_, _, err = root.Put(t.Context(), ref, bytes.NewReader(cover), &object.PutOptions{Overwrite: true})
	require.ErrorIs(t, err, object.ErrDenied)
}

// Without a signed length and type anything comes in, and Arrived sees it.
func TestUnsizedUploadIsMeasuredWhenItArrives(t *testing.T) {
	t.Parallel()
	d := newDesk(t, secret)
	g := d.grant(t, &presign.PutOptions{AllowUnsized: true})
	req := request(t, g, cover)
	req.Header.Set("Content-Type", "image/png")
	res, body := do(t, req)
	require.Equal(t, http.StatusOK, res.StatusCode, body)

	_, _, err := d.signer.Arrived(t.Context(), d.session, name, &presign.ArrivedOptions{MaxSize: 10})
	rejected, ok := errors.AsType[*presign.RejectedError](err)
	require.True(t, ok, err)
	require.ErrorIs(t, err, presign.ErrTooLarge)
	require.EqualValues(t, len(cover), rejected.Info.Size)
	require.False(t, rejected.Deleted)

	// The upload does not have a checksum, so the bytes are read.
	other := sha256.Sum256([]byte("other"))
	_, _, err = d.signer.Arrived(t.Context(), d.session, name, &presign.ArrivedOptions{Size: int64(len(cover)), SHA256: other[:]})
	require.ErrorIs(t, err, presign.ErrMismatch)
	require.ErrorContains(t, err, "SHA-256")
	sum := sha256.Sum256(cover)
	_, _, err = d.signer.Arrived(t.Context(), d.session, name, &presign.ArrivedOptions{Size: int64(len(cover)), SHA256: sum[:]})
	require.NoError(t, err)

	_, _, err = d.signer.Arrived(t.Context(), d.session, name, &presign.ArrivedOptions{MaxSize: 10, DeleteRejected: true})
	rejected, ok = errors.AsType[*presign.RejectedError](err)
	require.True(t, ok, err)
	require.True(t, rejected.Deleted)
	require.NoError(t, rejected.DeleteErr)
	_, _, err = d.signer.Arrived(t.Context(), d.session, name, nil)
	require.ErrorIs(t, err, presign.ErrNotArrived)
}

func TestUnsizedGrantTakesAnEmptyBody(t *testing.T) {
	t.Parallel()
	d := newDesk(t, secret)
	res, body := do(t, request(t, d.grant(t, &presign.PutOptions{AllowUnsized: true}), nil))
	require.Equal(t, http.StatusOK, res.StatusCode, body)
	_, info, err := d.signer.Arrived(t.Context(), d.session, name, nil)
	require.NoError(t, err)
	require.Zero(t, info.Size)
}

func TestBrowsersOfAllowedOriginsMayUpload(t *testing.T) {
	t.Parallel()
	const page = "http://127.0.0.1:8080"
	d := newDesk(t, secret)
	require.NoError(t, presigntest.AllowUploads(t.Context(), newClient(secret), d.bucket, []string{page}))
	g := d.grant(t, full)

	preflight := func(origin, method, headers string) *http.Response {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, g.URL, nil)
		require.NoError(t, err)
		req.Header.Set("Origin", origin)
		req.Header.Set("Access-Control-Request-Method", method)
		req.Header.Set("Access-Control-Request-Headers", headers)
		res, _ := do(t, req)
		return res
	}
	var names []string
	for name := range g.Headers {
		names = append(names, strings.ToLower(name))
	}
	all := strings.Join(names, ",")

	ok := preflight(page, http.MethodPut, all)
	require.Equal(t, http.StatusOK, ok.StatusCode)
	require.Equal(t, page, ok.Header.Get("Access-Control-Allow-Origin"))
	for what, res := range map[string]*http.Response{
		"another origin": preflight("http://evil.example", http.MethodPut, all),
		"another port":   preflight("http://127.0.0.1:8081", http.MethodPut, all),
		"another method": preflight(page, http.MethodDelete, all),
		"another header": preflight(page, http.MethodPut, all+",x-amz-acl"),
	} {
		require.Equal(t, http.StatusForbidden, res.StatusCode, what)
		require.Empty(t, res.Header.Get("Access-Control-Allow-Origin"), what)
	}

	req := request(t, g, cover)
	req.Header.Set("Origin", page)
	res, body := do(t, req)
	require.Equal(t, http.StatusOK, res.StatusCode, body)
	require.Equal(t, page, res.Header.Get("Access-Control-Allow-Origin"))
	require.Contains(t, res.Header.Get("Access-Control-Expose-Headers"), "ETag")
}

// A grant's URL is for one object; the bucket itself stays closed.
func TestAnonymousRequestsAreRejected(t *testing.T) {
	t.Parallel()
	d := newDesk(t, secret)
	u, err := url.Parse(d.grant(t, full).URL)
	require.NoError(t, err)
	u.RawQuery = ""
	for _, path := range []string{u.Path, "/" + d.bucket, "/"} {
		u.Path, u.RawPath = path, ""
		req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, u.String(), nil)
		require.NoError(t, err)
		res, body := do(t, req)
		require.Equal(t, http.StatusForbidden, res.StatusCode, "%s: %s", path, body)
	}
}
