package s3object_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/object/s3object"
)

const prefix = "tenant=acme/user=u1/uploads/0190b2d4-7c3a-7e51-9b7e-1f2a3c4d5e6f/"

// wire answers each request with the next of its answers and records it.
type wire struct {
	mu      sync.Mutex
	answers []http.HandlerFunc
	seen    []string // "METHOD path?query"
	header  []http.Header
	body    []string
}

func (w *wire) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body) // before the lock: it may be what another request answers
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen, w.header, w.body = append(w.seen, r.Method+" "+r.URL.Path+"?"+r.URL.RawQuery), append(w.header, r.Header), append(w.body, string(b))
	if len(w.answers) == 0 {
		rw.WriteHeader(http.StatusTeapot)
		return
	}
	w.answers[0](rw, r)
	w.answers = w.answers[1:]
}

func answer(status int, code string) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Type", "application/xml")
		rw.WriteHeader(status)
		if code != "" && r.Method != http.MethodHead {
			fmt.Fprintf(rw, "<Error><Code>%s</Code><Message>arn:aws:s3:::landing says no</Message></Error>", code)
		}
	}
}

func text(status int, body string, header ...string) http.HandlerFunc {
	return func(rw http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			rw.Header().Set(header[i], header[i+1])
		}
		rw.WriteHeader(status)
		io.WriteString(rw, body)
	}
}

func listing(keys ...string) http.HandlerFunc {
	var b strings.Builder
	b.WriteString("<ListBucketResult><Name>landing</Name><IsTruncated>false</IsTruncated>")
	for _, k := range keys {
		fmt.Fprintf(&b, "<Contents><Key>%s</Key><Size>1</Size><ETag>&quot;e&quot;</ETag></Contents>", k)
	}
	b.WriteString("</ListBucketResult>")
	return text(http.StatusOK, b.String())
}

// setup returns a Root on the driver whose server gives these answers.
func setup(t *testing.T, o *s3object.Options, answers ...http.HandlerFunc) (*object.Root, object.Ref, *wire) {
	t.Helper()
	w := &wire{answers: answers}
	srv := httptest.NewServer(w)
	t.Cleanup(srv.Close)
	c := s3.New(s3.Options{
		BaseEndpoint: &srv.URL, UsePathStyle: true, Region: "us-east-1", RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("AKID", "SECRET", ""),
	})
	d, err := s3object.New(c, "landing", o)
	require.NoError(t, err)
	return withBucket(t, d, "landing", w)
}

func withBucket(t *testing.T, d object.Driver, bucket string, w *wire) (*object.Root, object.Ref, *wire) {
	t.Helper()
	s, name, err := scope.ParseKey(prefix + "a b+ü.txt")
	require.NoError(t, err)
	root, err := must.Get(object.New(d, bucket, nil)).In(s)
	require.NoError(t, err)
	ref, err := root.Ref(name)
	require.NoError(t, err)
	return root, ref, w
}

func TestPutOnTheWire(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		o                *object.PutOptions
		match, noneMatch string
	}{
		"write once": {nil, "", "*"},
		"replace":    {&object.PutOptions{IfMatch: `"e"`}, `"e"`, ""},
		"overwrite":  {&object.PutOptions{Overwrite: true}, "", ""},
	} {
		root, ref, w := setup(t, nil, text(http.StatusOK, "", "ETag", `"n"`, "X-Amz-Version-Id", "v1"))
		pinned, info, err := root.Put(t.Context(), ref, strings.NewReader("hello"), c.o)
		require.NoError(t, err, what)
		require.Equal(t, []string{"PUT /landing/" + prefix + "a b+ü.txt?x-id=PutObject"}, w.seen, what)
		require.Equal(t, c.match, w.header[0].Get("If-Match"), what)
		require.Equal(t, c.noneMatch, w.header[0].Get("If-None-Match"), what)
		require.Equal(t, "hello", w.body[0], what)
		require.Equal(t, "v1", pinned.Version(), "a version pins where there is one")
		require.Empty(t, pinned.ETag())
		require.EqualValues(t, 5, info.Size)
	}
}

func TestPinOnTheWire(t *testing.T) {
	t.Parallel()
	root, ref, w := setup(t, nil,
		text(http.StatusOK, "", "ETag", `"e"`, "X-Amz-Version-Id", "null"),
		text(http.StatusPartialContent, "ell", "Content-Range", "bytes 1-3/5", "ETag", `"e"`),
		text(http.StatusNoContent, ""))
	ref, _, err := root.Put(t.Context(), ref, strings.NewReader("hello"), nil)
	require.NoError(t, err)
	require.Equal(t, `"e"`, ref.ETag(), `the version "null" pins nothing`)

	r, info, err := root.Open(t.Context(), ref, &object.Range{Off: 1, Len: 3})
	require.NoError(t, err)
	require.NoError(t, r.Close())
	require.EqualValues(t, 5, info.Size)
	require.Equal(t, `"e"`, w.header[1].Get("If-Match"))
	require.Equal(t, "bytes=1-3", w.header[1].Get("Range"))

	require.NoError(t, root.Delete(t.Context(), ref))
	require.Equal(t, `"e"`, w.header[2].Get("If-Match"))
}

func TestALengthBeyondInt64ReadsToTheEnd(t *testing.T) {
	t.Parallel()
	root, ref, w := setup(t, nil, text(http.StatusPartialContent, "ello", "Content-Range", "bytes 1-4/5"))
	r, _, err := root.Open(t.Context(), ref, &object.Range{Off: 1, Len: math.MaxInt64})
	require.NoError(t, err)
	require.NoError(t, r.Close())
	require.Equal(t, "bytes=1-", w.header[0].Get("Range"))
}

// A server that ignores the range would hand out other bytes than were asked for.
func TestAnIgnoredRangeIsAnError(t *testing.T) {
	t.Parallel()
	root, ref, _ := setup(t, nil, text(http.StatusOK, "hello"))
	_, _, err := root.Open(t.Context(), ref, &object.Range{Off: 1, Len: 3})
	require.ErrorContains(t, err, "Content-Range")
}

func TestErrorsAreMapped(t *testing.T) {
	t.Parallel()
	open := func(r *object.Root, f object.Ref) error { _, _, err := r.Open(t.Context(), f, nil); return err }
	stat := func(r *object.Root, f object.Ref) error { _, _, err := r.Stat(t.Context(), f); return err }
	list := func(r *object.Root, _ object.Ref) error {
		for _, err := range r.List(t.Context()) {
			return err
		}
		return nil
	}
	remove := func(r *object.Root, f object.Ref) error { return r.Delete(t.Context(), f) }
	put := func(o *object.PutOptions) func(*object.Root, object.Ref) error {
		return func(r *object.Root, f object.Ref) error {
			_, _, err := r.Put(t.Context(), f, strings.NewReader("x"), o)
			return err
		}
	}
	replace := put(&object.PutOptions{IfMatch: `"e"`})
	sentinels := []error{object.ErrNotFound, object.ErrExists, object.ErrChanged, object.ErrConflict, object.ErrRange,
		object.ErrSize, object.ErrTooLarge, object.ErrDenied, object.ErrInvalid}
	for what, c := range map[string]struct {
		do     func(*object.Root, object.Ref) error
		status int
		code   string
		want   error // nil: an error, and none of the sentinels
	}{
		"open, no key":             {open, 404, "NoSuchKey", object.ErrNotFound},
		"open, no version":         {open, 404, "NoSuchVersion", object.ErrNotFound},
		"open, no bucket":          {open, 404, "NoSuchBucket", nil},
		"open, changed":            {open, 412, "PreconditionFailed", object.ErrChanged},
		"open, range":              {open, 416, "InvalidRange", object.ErrRange},
		"open, signature":          {open, 403, "SignatureDoesNotMatch", nil},
		"open, throttled":          {open, 503, "SlowDown", nil},
		"stat, no key":             {stat, 404, "", object.ErrNotFound},
		"stat, changed":            {stat, 412, "", object.ErrChanged},
		"put, exists":              {put(nil), 412, "PreconditionFailed", object.ErrExists},
		"put, conflict":            {put(nil), 409, "ConditionalRequestConflict", object.ErrConflict},
		"put, denied":              {put(nil), 403, "AccessDenied", object.ErrDenied},
		"put, too large":           {put(nil), 400, "EntityTooLarge", object.ErrTooLarge},
		"put, no bucket":           {put(nil), 404, "NoSuchBucket", nil},
		"replace, changed":         {replace, 412, "PreconditionFailed", object.ErrChanged},
		"replace, nothing there":   {replace, 404, "NoSuchKey", object.ErrNotFound},
		"replace, conflict":        {replace, 409, "ConditionalRequestConflict", object.ErrConflict},
		"list, denied":             {list, 403, "AccessDenied", object.ErrDenied},
		"list, no bucket":          {list, 404, "NoSuchBucket", nil},
		"delete, changed":          {remove, 412, "PreconditionFailed", object.ErrChanged},
		"delete, denied":           {remove, 403, "AccessDenied", object.ErrDenied},
		"delete, failed inside":    {remove, 500, "InternalError", nil},
		"delete, without a bucket": {remove, 404, "NoSuchBucket", nil},
	} {
		t.Run(what, func(t *testing.T) {
			root, ref, w := setup(t, nil, answer(c.status, c.code))
			err := c.do(root, ref)
			require.Error(t, err)
			for _, s := range sentinels {
				require.Equal(t, errors.Is(c.want, s), errors.Is(err, s), "%v: %v", s, err)
			}
			require.Len(t, w.seen, 1)
		})
	}
}

// Under a session policy S3 answers 403 for a missing object.
func TestForbiddenMissingObjectsAreNotFound(t *testing.T) {
	t.Parallel()
	key := prefix + "a b+ü.txt"
	for what, c := range map[string]struct {
		list http.HandlerFunc
		want error
	}{
		"absent":               {listing(), object.ErrNotFound},
		"absent, another near": {listing(key + ".bak"), object.ErrNotFound},
		"there":                {listing(key), object.ErrDenied},
		"list denied too":      {answer(403, "AccessDenied"), object.ErrDenied},
		"list failed":          {answer(500, "InternalError"), object.ErrDenied},
	} {
		root, ref, w := setup(t, nil, answer(403, ""), c.list)
		_, _, err := root.Stat(t.Context(), ref)
		require.ErrorIs(t, err, c.want, what)
		require.Len(t, w.seen, 2, what)
		require.Contains(t, w.seen[1], "prefix=tenant%3Dacme%2Fuser%3Du1%2Fuploads%2F0190b2d4-7c3a-7e51-9b7e-1f2a3c4d5e6f%2Fa%20b%2B%C3%BC.txt", what)

		root, ref, _ = setup(t, nil, answer(403, "AccessDenied"), c.list)
		_, _, err = root.Open(t.Context(), ref, nil)
		require.ErrorIs(t, err, c.want, what)
	}
}

func TestBodiesBeyondTheSpoolAreTooLarge(t *testing.T) {
	t.Parallel()
	root, ref, w := setup(t, &s3object.Options{Spool: 4}, text(http.StatusOK, ""), text(http.StatusOK, ""))
	unseekable := func(s string) io.Reader { return io.MultiReader(strings.NewReader(s)) }
	_, _, err := root.Put(t.Context(), ref, unseekable("12345"), nil)
	require.ErrorIs(t, err, object.ErrTooLarge)
	require.Empty(t, w.seen, "nothing was sent")
	_, _, err = root.Put(t.Context(), ref, unseekable("1234"), nil)
	require.NoError(t, err)
	_, _, err = root.Put(t.Context(), ref, strings.NewReader("123456789"), nil)
	require.NoError(t, err, "what can seek is not held in memory")
	require.Equal(t, []string{"1234", "123456789"}, w.body)
}

// A stream that the server cuts short is an error, never a shorter object.
func TestATruncatedBodyIsAnError(t *testing.T) {
	t.Parallel()
	root, ref, _ := setup(t, nil, text(http.StatusOK, "only this", "Content-Length", "100"))
	r, _, err := root.Open(t.Context(), ref, nil)
	require.NoError(t, err)
	_, err = io.ReadAll(r)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.NoError(t, r.Close())
}

func TestForChoosesTheClient(t *testing.T) {
	t.Parallel()
	refused := errors.New("no credentials for you")
	var asked []scope.Scope
	d, err := s3object.New(nil, "landing", &s3object.Options{For: func(_ context.Context, s scope.Scope) (s3object.Client, error) {
		asked = append(asked, s)
		return nil, refused
	}})
	require.NoError(t, err)
	root, ref, _ := withBucket(t, d, "landing", nil)
	_, _, err = root.Stat(t.Context(), ref)
	require.ErrorIs(t, err, refused)
	for _, err = range root.List(t.Context()) {
	}
	require.ErrorIs(t, err, refused)
	require.Equal(t, []scope.Scope{root.Scope(), root.Scope()}, asked)
}

func TestForMustNotReturnNil(t *testing.T) {
	t.Parallel()
	d, err := s3object.New(nil, "landing", &s3object.Options{For: func(context.Context, scope.Scope) (s3object.Client, error) {
		return nil, nil
	}})
	require.NoError(t, err)
	root, ref, _ := withBucket(t, d, "landing", nil)
	_, _, err = root.Stat(t.Context(), ref)
	require.ErrorIs(t, err, object.ErrInvalid)
	for _, err = range root.List(t.Context()) {
	}
	require.ErrorIs(t, err, object.ErrInvalid)
}

func TestNegativeSpoolIsRejected(t *testing.T) {
	t.Parallel()
	_, err := s3object.New(s3.New(s3.Options{Region: "us-east-1"}), "landing", &s3object.Options{Spool: -1})
	require.ErrorIs(t, err, object.ErrInvalid)
	require.ErrorContains(t, err, "spool -1")
}

func TestInvalidBucketNamesAreRejected(t *testing.T) {
	t.Parallel()
	c := s3.New(s3.Options{Region: "us-east-1"})
	for _, name := range []string{"carrel-landing", "a.b.c", "123"} {
		_, err := s3object.New(c, name, nil)
		require.NoError(t, err, name)
	}
	for _, name := range []string{
		"", "ab", strings.Repeat("a", 64), "Upper", "under_score", "a/b", "-a1", "a1-", "a..b", "10.0.0.1", "xn--abc", "a b",
		"arn:aws:s3:us-east-1:123456789012:accesspoint/x", "name-s3alias", "name--use1-az4--x-s3", "name--ol-s3", "name.mrap",
	} {
		_, err := s3object.New(c, name, nil)
		require.ErrorIs(t, err, object.ErrInvalid, name)
	}
	_, err := s3object.New(nil, "landing", nil)
	require.ErrorIs(t, err, object.ErrInvalid)
}

// A Bucket and a driver of two names would make Refs that lie.
func TestABucketWithAnotherNameIsRejected(t *testing.T) {
	t.Parallel()
	d, err := s3object.New(s3.New(s3.Options{Region: "us-east-1"}), "landing", nil)
	require.NoError(t, err)
	root, ref, _ := withBucket(t, d, "raw", nil)
	_, _, err = root.Stat(t.Context(), ref)
	require.ErrorIs(t, err, object.ErrInvalid)
}

func TestChecksumsAreParsed(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]int{
		"LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=":   32,
		"LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=-3": 0, // of a multipart upload
		"AAAA": 0,
	} {
		root, ref, w := setup(t, nil, text(http.StatusOK, "", "Content-Length", "5", "X-Amz-Checksum-Sha256", header))
		_, info, err := root.Stat(t.Context(), ref)
		require.NoError(t, err)
		require.Len(t, info.SHA256, want)
		require.Equal(t, "ENABLED", w.header[0].Get("X-Amz-Checksum-Mode"))
	}
}

func ExampleOpen() {
	client := s3.New(s3.Options{Region: "eu-central-1", Credentials: aws.AnonymousCredentials{}})
	bucket, err := s3object.Open(client, "carrel-raw", nil)
	if err != nil {
		panic(err)
	}
	fmt.Println(bucket.Name())

	_, err = s3object.Open(client, "arn:aws:s3:::carrel-raw", nil)
	fmt.Println(err)
	// Output:
	// carrel-raw
	// s3object: invalid bucket name "arn:aws:s3:::carrel-raw": must only have a-z, 0-9, hyphens and dots
}
